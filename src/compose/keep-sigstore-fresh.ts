import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config/schema.ts';
import {
  refreshAfterMs,
  type RefreshDependencies,
  type RefreshOutcome,
  refreshSigstoreRoots,
} from './sigstore-refresh.ts';
import { rootConfigs } from './sigstore-sources.ts';

/** From a round in which something failed to the next one: 1 minute, then longer, 1 hour at most. */
const firstRetryMs = 60_000;
const lastRetryMs = 3_600_000;

/**
 * Refreshes the Sigstore roots in the background until `opened` is closed: at once, and again when
 * one is six hours old. Nobody waits for it; what it brings is seen as any file that changes.
 * With `trust.offline`, or without a root by TUF, it does nothing.
 */
export function keepSigstoreFresh(
  config: Pick<Config, 'trust' | 'storage'>,
  dependencies: RefreshDependencies,
  opened: AsyncDisposableStack,
): void {
  const isByTuf = [...rootConfigs(config).values()].some(
    (source) => typeof source === 'string' || 'tuf' in source,
  );
  if (config.trust.offline || !isByTuf) return;
  const abort = new AbortController();
  const rounds = repeat(config, dependencies, abort.signal);
  opened.defer(async () => {
    abort.abort();
    await rounds;
  });
}

async function repeat(
  config: Pick<Config, 'trust' | 'storage'>,
  dependencies: RefreshDependencies,
  signal: AbortSignal,
): Promise<void> {
  let retryMs = firstRetryMs;
  while (!signal.aborted) {
    const outcomes = await refreshSigstoreRoots(config, dependencies, refreshAfterMs, signal).catch(
      () => [],
    );
    if (signal.aborted) return;
    outcomes.forEach((outcome) => tell(outcome, dependencies));
    const failed = outcomes.some(({ kind }) => kind === 'failed');
    await delay(failed ? retryMs : firstRetryMs, undefined, { signal, ref: false }).catch(
      () => undefined,
    );
    retryMs = failed ? Math.min(retryMs * 2, lastRetryMs) : firstRetryMs;
  }
}

function tell(outcome: RefreshOutcome, { log }: RefreshDependencies): void {
  if (outcome.kind === 'refreshed') {
    log.info({ root: outcome.name, from: outcome.state.url }, 'a Sigstore root was refreshed');
  }
  if (outcome.kind === 'failed') {
    const { name: root, because } = outcome;
    log.warn({ root, because }, 'a Sigstore root can not be refreshed; the last good one stays');
  }
}
