import type { PlannedContent } from '../airgap/plan.ts';
import { NotFoundError } from '../gate/gate-error.ts';
import { scopeOf } from '../oci/repository.ts';
import type { App } from './app.ts';

/**
 * The bytes of what is planned, as they come: stored ones from the disk, others along with the fill
 * that stores them. Hashed by who writes them. Throws what the gate throws, and `UpstreamError`.
 */
export async function* readPlanned(
  content: PlannedContent,
  app: Pick<App, 'gate' | 'upstreams'>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const stream = await openPlanned(content, app, signal);
  if (stream instanceof Uint8Array) {
    yield stream;
    return;
  }
  const stop = (): void => void stream.destroy(signal.reason as Error);
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const piece of stream) yield piece as Uint8Array;
  } finally {
    signal.removeEventListener('abort', stop);
    stream.destroy();
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
    return (await gate.admitBlob(repository, digest, signal)).open(signal);
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
