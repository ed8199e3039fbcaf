import type { Readable } from 'node:stream';
import type { PlannedContent } from '../airgap/plan.ts';
import { NotFoundError } from '../gate/gate-error.ts';
import { scopeOf } from '../oci/repository.ts';
import type { Pieces } from '../storage/read-pieces.ts';
import type { App } from './app.ts';

/** Each costs a turn on a thread that others may keep busy. */
const pieceBytes = 4 * 1024 * 1024;

/**
 * The bytes of what is planned, as they come: stored ones from the disk, others along with the fill
 * that stores them. Hashed by who writes them. Throws what the gate throws, and `UpstreamError`.
 * `spare`: memory that readings left when they ended, for those after them; only for those who have
 * done with a piece when they ask for the next but one. Without it each piece is memory of its own.
 */
export async function* readPlanned(
  content: PlannedContent,
  app: Pick<App, 'gate' | 'upstreams'>,
  signal: AbortSignal,
  spare?: Buffer[],
): AsyncGenerator<Uint8Array> {
  const stream = await openPlanned(content, app, signal);
  if (stream instanceof Uint8Array) {
    yield stream;
    return;
  }
  const stop = (): void => void stream.destroy(signal.reason as Error);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const { pieces } = stream;
    if (spare === undefined || pieces === undefined) yield* stream;
    else yield* readAhead(stream, pieces, spare);
  } finally {
    signal.removeEventListener('abort', stop);
    stream.destroy();
  }
}

/**
 * In turn into two pieces of memory, so that one is read while the other is looked at: whoever takes
 * one has done with it when he asks for more.
 */
async function* readAhead(
  stream: Readable,
  pieces: Pieces,
  spare: Buffer[],
): AsyncGenerator<Uint8Array> {
  const { promise: failed, reject } = Promise.withResolvers<never>();
  failed.catch(() => undefined);
  // It may fail while nothing is being read.
  stream.once('error', reject);
  const readInto = async (memory: Uint8Array): Promise<Uint8Array> => {
    const bytes = await Promise.race([pieces.ready(), failed]);
    if (bytes === 0) return memory.subarray(0, 0);
    const room = memory.subarray(0, Math.min(bytes, memory.length));
    return memory.subarray(0, await Promise.race([pieces.read(room), failed]));
  };
  const take = (): Buffer => spare.pop() ?? Buffer.allocUnsafeSlow(pieceBytes);
  let [memory, other] = [take(), take()];
  let next = readInto(memory);
  for (;;) {
    const piece = await next;
    if (piece.length === 0) {
      // Where it ends otherwise, a read may still be under way.
      spare.push(memory, other);
      return;
    }
    [memory, other] = [other, memory];
    next = readInto(memory);
    // Whoever stops here does not wait for it.
    next.catch(() => undefined);
    yield piece;
  }
}

async function openPlanned(
  { repository, digest, size, kind, from }: PlannedContent,
  { gate, upstreams }: Pick<App, 'gate' | 'upstreams'>,
  signal: AbortSignal,
) {
  if (from === 'gate') {
    if (kind === 'manifest')
      return (await gate.admitManifest(repository, { digest }, signal)).bytes;
    // Its word is asked for; its stream would hash what is hashed again in a moment.
    await gate.admitBlob(repository, digest, signal);
  }
  const source = upstreams.get(repository.upstream);
  const { path } = repository;
  const found =
    kind === 'manifest'
      ? (await source?.fetchManifest(path, { digest }, signal))?.bytes
      : (await source?.openBlob(path, digest, signal, { size }))?.stream;
  if (found !== undefined) return found;
  const name = `${scopeOf(repository)}@${digest}`;
  throw new NotFoundError('BLOB_UNKNOWN', `${name} does not exist upstream any more`);
}
