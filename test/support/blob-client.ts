import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';

export interface BlobClientOptions {
  readonly method?: 'GET' | 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
  /** What should come: each byte is compared as it comes. */
  readonly expected?: Uint8Array;
  /** After so many bytes of the body it reads no more until `resume`. */
  readonly stallAfter?: number;
  /** Called with the bytes of the body so far, whenever some have come. */
  readonly onReceived?: (bytes: number) => void;
}

/** How an answer ended, from what was on the wire. */
export interface BlobOutcome {
  /** 0 where no answer came. */
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly bytes: number;
  readonly digest: string;
  /** As many bytes as were stated. */
  readonly isComplete: boolean;
  /** All that came is the beginning of what was expected. */
  readonly isRightSoFar: boolean;
  /** From asking to the first byte of the body; infinite if none came. */
  readonly firstByteMs: number;
}

/** One request on a connection of its own, without a client library that might hide what comes. */
export interface BlobClient {
  /** Bytes of the body so far. */
  readonly received: number;
  /** Resolves once so many bytes of the body have come; rejects if it ends before. */
  reaches(bytes: number): Promise<void>;
  /** Resolves with the status once the headers have come; rejects if it ends before. */
  readonly answered: Promise<number>;
  /** Never rejects. */
  readonly ended: Promise<BlobOutcome>;
  resume(): void;
  /** Goes away at once, as a killed client does. */
  kill(): void;
}

/** One for all: what is in it is used up before the next read of any of them. */
const shared = Buffer.alloc(256 * 1024);

/** Who ends what is still open: a test. */
export interface ClientOwner {
  readonly teardown: (end: () => void) => void;
}

interface Head {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
}

export function openBlobClient(
  owner: ClientOwner,
  origin: string,
  path: string,
  options: BlobClientOptions = {},
): BlobClient {
  const { method = 'GET', headers = {}, expected, stallAfter = Infinity } = options;
  const { hostname, port } = new URL(origin);
  const asked = performance.now();
  const hash = createHash('sha256');
  const answered = Promise.withResolvers<number>();
  const ended = Promise.withResolvers<BlobOutcome>();
  const waiting = new Set<{ readonly bytes: number; readonly resolve: () => void }>();
  let head: Head | undefined;
  let before = Buffer.alloc(0);
  let received = 0;
  let limit = stallAfter;
  let isRightSoFar = true;
  let firstByteMs = Infinity;
  answered.promise.catch(() => undefined);

  const takeBody = (bytes: Buffer): void => {
    if (bytes.length === 0) return;
    if (received === 0) firstByteMs = performance.now() - asked;
    if (expected === undefined) hash.update(bytes);
    else {
      const part = expected.subarray(received, received + bytes.length);
      isRightSoFar &&= bytes.equals(part);
    }
    received += bytes.length;
    options.onReceived?.(received);
    for (const each of waiting) if (each.bytes <= received) each.resolve();
  };
  const take = (bytes: Buffer): void => {
    if (head !== undefined) return takeBody(bytes);
    before = Buffer.concat([before, bytes]);
    const end = before.indexOf('\r\n\r\n');
    if (end < 0) return;
    head = readHead(before.toString('latin1', 0, end));
    answered.resolve(head.status);
    takeBody(before.subarray(end + 4));
  };
  const socket: Socket = connect({
    host: hostname,
    port: Number(port),
    onread: {
      buffer: shared,
      callback(length) {
        take(shared.subarray(0, length));
        return received < limit;
      },
    },
  });
  socket.on('error', () => undefined);
  socket.once('close', () => {
    const stated = head?.headers.get('content-length');
    answered.reject(new Error(`it ended without an answer: ${path}`));
    ended.resolve({
      status: head?.status ?? 0,
      headers: head?.headers ?? new Map(),
      bytes: received,
      digest: `sha256:${hash.digest('hex')}`,
      isComplete: stated === String(received),
      isRightSoFar,
      firstByteMs,
    });
  });
  const lines = Object.entries({ host: 'a', connection: 'close', ...headers });
  socket.write(
    `${method} ${path} HTTP/1.1\r\n${lines.map((line) => `${line.join(': ')}\r\n`).join('')}\r\n`,
  );
  owner.teardown(() => void socket.destroy());
  return {
    get received() {
      return received;
    },
    async reaches(bytes) {
      if (received >= bytes) return;
      const { promise, resolve } = Promise.withResolvers<'reached'>();
      const each = { bytes, resolve: () => resolve('reached') };
      waiting.add(each);
      const first = await Promise.race([promise, ended.promise]);
      waiting.delete(each);
      if (first !== 'reached') throw new Error(`it ended after ${received} of ${bytes} bytes`);
    },
    answered: answered.promise,
    ended: ended.promise,
    resume() {
      limit = Infinity;
      socket.resume();
    },
    kill: () => void socket.resetAndDestroy(),
  };
}

function readHead(text: string): Head {
  const [line = '', ...lines] = text.split('\r\n');
  const headers = lines.map((each) => {
    const colon = each.indexOf(': ');
    return [each.slice(0, colon).toLowerCase(), each.slice(colon + 2)] as const;
  });
  return { status: Number(line.split(' ')[1]), headers: new Map(headers) };
}
