import type { Config, SigstoreRootConfig } from '../config/schema.ts';
import { readTextFileBounded } from '../files/read-file.ts';
import { withDeadline } from '../kernel/abort.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import { loadSigstoreRoot, passByDamage } from '../trust/sigstore/load-root.ts';
import type { TufRepository } from '../trust/sigstore/root-source.ts';
import type { FetchTufFile } from '../trust/sigstore/tuf-fetcher.ts';
import { readTufState, type TufState } from '../trust/sigstore/tuf-state.ts';
import { updateTufState } from '../trust/sigstore/tuf-update.ts';
import type { ListenAddress } from '../upstream/egress.ts';
import { openOriginFetch } from '../upstream/origin-fetch.ts';
import { readRootSource, rootConfigs } from './sigstore-sources.ts';
import type { Observed } from './verifier.ts';
import { maxPemBytes } from './limits.ts';

export interface RefreshDependencies extends Observed {
  /** Where this process listens; nothing is fetched from there. */
  readonly ownListeners: () => readonly ListenAddress[];
}

/** What became of one root. */
export type RefreshOutcome =
  | { readonly kind: 'refreshed'; readonly name: string; readonly state: TufState }
  /** Refreshed a short while ago. */
  | { readonly kind: 'fresh'; readonly name: string; readonly state: TufState }
  /** A plain file, which its owner refreshes. */
  | { readonly kind: 'file'; readonly name: string; readonly file: string }
  | { readonly kind: 'failed'; readonly name: string; readonly because: string };

/** The public good's timestamp is signed anew every day and ends after seven. */
export const refreshAfterMs = 6 * 3_600_000;

const deadlineMs = 60_000;
/**
 * Refreshes every root that comes by TUF and was not verified within `olderThanMs`, one after the
 * other. What fails is told, and the last good one stays. Nothing may be fetched where
 * `trust.offline` is true: the caller sees to it.
 */
export async function refreshSigstoreRoots(
  config: Pick<Config, 'trust' | 'storage'>,
  dependencies: RefreshDependencies,
  olderThanMs: number,
  signal: AbortSignal,
): Promise<readonly RefreshOutcome[]> {
  const outcomes: RefreshOutcome[] = [];
  for (const [name, source] of rootConfigs(config)) {
    outcomes.push(await refreshOne(name, source, config, dependencies, olderThanMs, signal));
    signal.throwIfAborted();
  }
  return outcomes;
}

/**
 * Refreshes those that have ended, or were never there: for who comes and goes, and can't wait for
 * a round in the background. Does nothing with `trust.offline`, and never rejects.
 */
export async function refreshEndedRoots(
  config: Pick<Config, 'trust' | 'storage'>,
  dependencies: RefreshDependencies,
  signal: AbortSignal,
): Promise<void> {
  if (config.trust.offline) return;
  for (const [name, source] of rootConfigs(config)) {
    try {
      const from = await readRootSource(name, source, config, async () => undefined);
      const { expiresAt } = (await loadSigstoreRoot(from, { mode: 'refreshed' })) ?? ended;
      if (expiresAt === undefined || dependencies.clock.now() <= expiresAt) continue;
      await refreshOne(name, source, config, dependencies, 0, signal);
    } catch {
      // Whoever loads it says what is wrong.
    }
  }
}

const ended = { expiresAt: new Date(0) };

async function refreshOne(
  name: string,
  source: SigstoreRootConfig,
  config: Pick<Config, 'trust' | 'storage'>,
  dependencies: RefreshDependencies,
  olderThanMs: number,
  signal: AbortSignal,
): Promise<RefreshOutcome> {
  const { clock, metrics } = dependencies;
  try {
    const repository = await readRootSource(name, source, config, async () => undefined);
    if (repository.kind === 'file') return { kind: 'file', name, file: repository.file };
    const known = await readTufState(repository.stateFile).catch(passByDamage);
    if (known !== undefined && isFresh(known, repository, clock.now(), olderThanMs)) {
      return { kind: 'fresh', name, state: known };
    }
    const state = await update(repository, source, dependencies, withDeadline(deadlineMs, signal));
    metrics.count('assay_sigstore_root_refreshes_total', { root: name, outcome: 'refreshed' });
    return { kind: 'refreshed', name, state };
  } catch (error) {
    metrics.count('assay_sigstore_root_refreshes_total', { root: name, outcome: 'failed' });
    return { kind: 'failed', name, because: messageOf(error) };
  }
}

function isFresh(
  { url, begunWith, verifiedAt }: TufState,
  repository: TufRepository,
  now: Date,
  olderThanMs: number,
): boolean {
  const ageMs = now.getTime() - verifiedAt.getTime();
  const isOurs = url === repository.url && begunWith === repository.begunWith;
  return isOurs && ageMs >= 0 && ageMs < olderThanMs;
}

async function update(
  repository: TufRepository,
  source: SigstoreRootConfig,
  { clock, ownListeners }: RefreshDependencies,
  signal: AbortSignal,
): Promise<TufState> {
  const { ca, httpProxy } = typeof source === 'object' && 'tuf' in source ? source.tuf : {};
  const origin = openOriginFetch({
    origin: new URL(repository.url).origin,
    ca: ca && (await readTextFileBounded(ca, maxPemBytes)),
    httpProxy,
    ownListeners,
  });
  try {
    const fetch: FetchTufFile = (url, maxBytes, until) => origin.fetch(url, maxBytes, until);
    return await updateTufState(repository, { fetch, clock }, signal);
  } finally {
    await origin.close();
  }
}
