import { once } from 'node:events';
import { Readable } from 'node:stream';
import t, { type Test } from 'tap';
import { UnavailableError } from '../../src/gate/gate-error.ts';
import type { TrustedBlob } from '../../src/gate/trusted-content.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { admitted, makeAdmission } from '../support/fake-gate.ts';
import { connectTo, exchangeRaw, listen, makeRouteServer } from '../support/route-server.ts';

/** Streams that fail, clients that leave, readers that stall (facts 2.2: 8, 19, 24). */
const digest = `sha256:${'a'.repeat(64)}` as Digest;
const requestText = `GET /v2/demo/app/blobs/${digest} HTTP/1.1\r\nHost: a\r\n\r\n`;
const chunk = Buffer.alloc(64 * 1024, 1);

function blobOf(size: number, open: TrustedBlob['open']): TrustedBlob {
  const descriptor = { mediaType: 'application/octet-stream', digest, size };
  return admitted({ descriptor, admission: makeAdmission(), open });
}

interface Source {
  readonly body: Readable;
  /** Chunks that were taken from it so far. */
  readonly taken: () => number;
}

/** As many chunks as anybody asks for. */
function makeSource(chunks: number): Source {
  let taken = 0;
  const body = new Readable({
    highWaterMark: chunk.byteLength,
    read() {
      this.push(taken++ < chunks ? chunk : null);
    },
  });
  return { body, taken: () => taken };
}

async function serve(t: Test, blob: TrustedBlob) {
  const routes = makeRouteServer(t, { admitBlob: async () => blob });
  return { routes, port: await listen(routes) };
}

/** Resolves with the end of a stream, an end by an error too. */
function closedOf(stream: Readable): Promise<void> {
  return new Promise((resolve) => {
    stream.once('close', () => resolve());
  });
}

t.test(
  'a stream that fails in the middle destroys the connection: nobody takes it for whole',
  async (t) => {
    for (const error of [
      new Error('secret detail'),
      new UnavailableError('UNAVAILABLE', 'upstream demo sent other bytes than the digest names'),
    ]) {
      const body = new Readable({ read: () => undefined });
      const { routes, port } = await serve(
        t,
        blobOf(1_000_000, async () => body),
      );
      const socket = await connectTo(t, port);
      const chunks: Buffer[] = [];
      socket.on('data', (data: Buffer) => {
        chunks.push(data);
        if (chunks.length === 1) body.push(chunk);
        else body.destroy(error);
      });
      const closed = once(socket, 'close');
      socket.write(requestText);
      await closed;
      const text = Buffer.concat(chunks).toString('latin1');
      t.match(text, /^HTTP\/1\.1 200 OK\r\n/);
      t.match(text, '\r\nContent-Length: 1000000\r\n');
      t.ok(text.length < 1_000_000, 'the client sees that it is short');
      t.equal(text.match(/HTTP\/1\.1/g)?.length, 1, 'no answer follows into the body');
      t.notMatch(text, 'secret');
      while (routes.logLines.length === 0) await new Promise(setImmediate);
      t.match(routes.logLines, [
        {
          level: 'warn',
          message: 'a stream failed, and its connection was cut',
          fields: { error },
        },
      ]);
    }
  },
);

t.test('a stream that ends early or goes on too long is never a complete answer', async (t) => {
  for (const [bytes, size] of [
    [1000, 2000],
    [3000, 2000],
  ] as const) {
    const { port } = await serve(
      t,
      blobOf(size, async () => Readable.from([Buffer.alloc(bytes, 1)])),
    );
    const answer = await exchangeRaw(t, port, requestText);
    const body = answer.slice(answer.indexOf('\r\n\r\n') + 4);
    t.not(body.length, size, `${body.length} bytes of ${size}`);
  }
});

t.test('a client that leaves in the middle ends the stream and aborts its signal', async (t) => {
  const source = makeSource(Infinity);
  const opened = Promise.withResolvers<AbortSignal>();
  const { routes, port } = await serve(
    t,
    blobOf(Number.MAX_SAFE_INTEGER, async (signal) => {
      opened.resolve(signal);
      return source.body;
    }),
  );
  const socket = await connectTo(t, port);
  socket.write(requestText);
  await once(socket, 'data');
  const signal = await opened.promise;
  const [aborted, closed] = [once(signal, 'abort'), closedOf(source.body)];
  socket.destroy();
  await Promise.all([aborted, closed]);
  t.equal(signal.aborted, true);
  t.equal(source.body.destroyed, true);
  await new Promise(setImmediate);
  t.strictSame(routes.logLines, [], 'a client that leaves is no fault');
});

t.test('a client that leaves while the gate decides aborts what it waits for', async (t) => {
  const asked = Promise.withResolvers<AbortSignal>();
  const routes = makeRouteServer(t, {
    admitBlob(_repository, _digest, signal) {
      asked.resolve(signal);
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    },
  });
  const socket = await connectTo(t, await listen(routes));
  socket.write(requestText);
  const signal = await asked.promise;
  const aborted = once(signal, 'abort');
  socket.destroy();
  await aborted;
  await new Promise(setImmediate);
  t.strictSame(routes.logLines, []);
  t.strictSame(routes.counts, [], 'there was no answer to count');
});

t.test('a reader that stalls stops the source, and gets every byte once it goes on', async (t) => {
  const chunks = 1000;
  const source = makeSource(chunks);
  const { routes, port } = await serve(
    t,
    blobOf(chunks * chunk.byteLength, async () => source.body),
  );
  const socket = await connectTo(t, port);
  socket.write(requestText);
  await once(socket, 'data');
  socket.pause();
  await untilStill(source.taken);
  const heldBack = source.taken();
  t.ok(heldBack < chunks / 2, `${heldBack} of ${chunks} chunks were read ahead`);
  let received = 0;
  socket.on('data', (data: Buffer) => {
    received += data.byteLength;
    if (received >= (chunks - heldBack) * chunk.byteLength) socket.end();
  });
  socket.resume();
  await once(source.body, 'end');
  t.ok(source.taken() > chunks);
  t.strictSame(routes.logLines, []);
});

/** Resolves once a number has not changed for some turns of the event loop after I/O. */
async function untilStill(count: () => number): Promise<void> {
  let before = -1;
  let stillFor = 0;
  while (stillFor < 200) {
    await new Promise(setImmediate);
    stillFor = count() === before ? stillFor + 1 : 0;
    before = count();
  }
}

t.test('fifty stalled readers hold no more than their buffers', async (t) => {
  const readers = 50;
  const sources: Source[] = [];
  const { port } = await serve(
    t,
    blobOf(Number.MAX_SAFE_INTEGER, async () => {
      const source = makeSource(Infinity);
      sources.push(source);
      return source.body;
    }),
  );
  for (let index = 0; index < readers; index++) {
    const socket = await connectTo(t, port);
    socket.write(requestText);
    await once(socket, 'data');
    socket.pause();
  }
  const buffered = (): number => sources.reduce((sum, { body }) => sum + body.readableLength, 0);
  const taken = (): number => sources.reduce((sum, source) => sum + source.taken(), 0);
  await untilStill(taken);
  t.equal(sources.length, readers);
  t.ok(buffered() <= readers * 2 * chunk.byteLength, `${buffered()} bytes wait in the sources`);
});

t.test('a reader that takes next to nothing is cut off, and its stream with it', async (t) => {
  const source = makeSource(Infinity);
  const blob = blobOf(Number.MAX_SAFE_INTEGER, async () => source.body);
  const limits = { slowReader: { intervalMs: 100, minBytes: 1024 } };
  const routes = makeRouteServer(t, { admitBlob: async () => blob }, { limits });
  const socket = await connectTo(t, await listen(routes));
  socket.write(requestText);
  await once(socket, 'data');
  const closed = closedOf(source.body);
  socket.pause();
  await closed;
  t.equal(source.body.destroyed, true);
  t.strictSame(routes.logLines, []);
});
