import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Updater } from 'tuf-js';
import { abortable } from '../../kernel/abort.ts';
import type { Clock } from '../../kernel/clock.ts';
import { messageOf } from '../../kernel/tagged-error.ts';
import { TrustError } from '../trust-error.ts';
import { passByDamage } from './load-root.ts';
import type { TufRepository } from './root-source.ts';
import { readTrustedRoot } from './trusted-root.ts';
import { type FetchTufFile, makeTufFetcher } from './tuf-fetcher.ts';
import { readTufState, type TufRole, tufRoles, type TufState, writeTufState } from './tuf-state.ts';

export interface TufDependencies {
  readonly fetch: FetchTufFile;
  readonly clock: Clock;
}

/** The one target that is asked for: no name out of the repository ever becomes a path. */
const target = 'trusted_root.json';

/**
 * Brings a repository's state up to date (TUF specification, section 5; the client is tuf-js) and
 * keeps it only if all of it is good, the trusted root too. Rejects with `TrustError`, and with the
 * signal's reason; the last good state stays then.
 */
export async function updateTufState(
  repository: TufRepository,
  { fetch, clock }: TufDependencies,
  signal: AbortSignal,
): Promise<TufState> {
  const found = await readTufState(repository.stateFile).catch(passByDamage);
  const known = found?.url === repository.url ? found : undefined;
  const parent = dirname(repository.stateFile);
  await mkdir(parent, { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(parent, '.update-'));
  try {
    const work = update(repository, known, folder, { fetch, clock }, signal);
    const state = await abortable(work, signal);
    await writeTufState(repository.stateFile, state);
    return state;
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof TrustError) throw cause;
    const message = `${repository.url} gives no trusted root: ${messageOf(cause)}`;
    throw new TrustError('SIGSTORE_ROOT_UNAVAILABLE', message, { cause });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function update(
  { url, rootJson, begunWith }: TufRepository,
  known: TufState | undefined,
  folder: string,
  { fetch, clock }: TufDependencies,
  signal: AbortSignal,
): Promise<TufState> {
  const file = (role: TufRole): string => join(folder, `${role}.json`);
  for (const role of tufRoles) {
    if (known !== undefined) await writeFile(file(role), known.metadata[role]);
  }
  // Another root to begin with is the operator's word; the old timestamp holds if that signed it.
  if (known?.begunWith !== begunWith) await writeFile(file('root'), rootJson);
  const kept = join(folder, 'target');
  if (known !== undefined) await writeFile(kept, known.trustedRoot);

  const verifiedAt = clock.now();
  const updater = openUpdater(url, folder, fetch, verifiedAt, signal);
  await updater.refresh();
  const info = await updater.getTargetInfo(target);
  if (info === undefined) throw unavailable(`${url} has no target ${target}`);
  if ((await updater.findCachedTarget(info, kept)) === undefined) {
    await updater.downloadTarget(info, kept);
  }
  const trustedRoot = await readFile(kept);
  readTrustedRoot(trustedRoot);
  const texts = await Promise.all(
    tufRoles.map(async (role) => [role, await readFile(file(role), 'utf8')] as const),
  );
  const metadata = Object.fromEntries(texts) as TufState['metadata'];
  return { url, begunWith, verifiedAt, metadata, trustedRoot };
}

function openUpdater(
  url: string,
  folder: string,
  fetch: FetchTufFile,
  now: Date,
  signal: AbortSignal,
): Updater {
  const updater = new Updater({
    metadataDir: folder,
    metadataBaseUrl: url,
    targetDir: folder,
    targetBaseUrl: `${url}/targets`,
    fetcher: makeTufFetcher(fetch, folder, signal),
    config: { maxRootRotations: 64, maxDelegations: 8 },
  });
  // tuf-js takes the time of its update (TUF specification, section 5.1) from the system's clock.
  updater['trustedSet'].referenceTime = now;
  return updater;
}

function unavailable(message: string): TrustError {
  return new TrustError('SIGSTORE_ROOT_UNAVAILABLE', message);
}
