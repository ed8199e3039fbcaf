import type { Config } from '../config/schema.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import { importApart } from './drop-import.ts';
import { makeDropWatch } from './drop-watch.ts';
import { repeat } from './repeat.ts';

/** Between two looks; a bundle has to be the same in both. */
const lookIntervalMs = 5_000;

/** Imports bundles that come into the drop folders of the configuration, until `opened` is closed. */
export function watchDrops(
  config: Config,
  observed: { readonly clock: Clock; readonly log: Log; readonly metrics: Metrics },
  opened: AsyncDisposableStack,
  intervalMs = lookIntervalMs,
): void {
  const { drop = [], store } = config.airgap ?? {};
  if (drop.length === 0 || store === undefined) return;
  const closing = new AbortController();
  const importBundle = (folder: string) => importApart(config, folder, closing.signal);
  const watch = makeDropWatch(drop, { ...observed, importBundle });
  const rounds = repeat(() => watch.look(), intervalMs);
  opened.defer(() => rounds.close());
  // First, so that nobody waits for an import: it goes on at the next start.
  opened.defer(() => closing.abort());
}
