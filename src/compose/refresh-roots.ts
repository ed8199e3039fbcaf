import type { Config } from '../config/schema.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import { expiryOf } from '../trust/sigstore/tuf-state.ts';
import { type RefreshOutcome, refreshSigstoreRoots } from './sigstore-refresh.ts';

/** What became of one Sigstore root. */
export type RefreshedRoot =
  | {
      readonly name: string;
      readonly kind: 'refreshed';
      readonly from: string;
      readonly expiresAt: Date;
    }
  /** A plain file, which its owner refreshes. */
  | { readonly name: string; readonly kind: 'file'; readonly from: string }
  | { readonly name: string; readonly kind: 'failed'; readonly because: string };

const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
const noMetrics: Metrics = { count() {}, time() {}, set() {} };

/**
 * Refreshes every Sigstore root now. A live server on the same configuration takes what was fetched
 * into use within seconds, as any file that changes.
 */
export async function refreshRoots(
  config: Pick<Config, 'trust' | 'storage' | 'listen' | 'admin'>,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly RefreshedRoot[]> {
  const ownListeners = () => [config.listen, config.admin];
  const silent = { clock, log: silentLog, metrics: noMetrics, ownListeners };
  return (await refreshSigstoreRoots(config, silent, 0, signal)).map(toRefreshed);
}

function toRefreshed(outcome: RefreshOutcome): RefreshedRoot {
  const { kind, name } = outcome;
  if (kind === 'failed') return { kind, name, because: outcome.because };
  if (kind === 'file') return { kind, name, from: outcome.file };
  const { url, metadata } = outcome.state;
  return { kind: 'refreshed', name, from: url, expiresAt: expiryOf(metadata, 'refreshed') };
}
