import type { Cache, SharedCache } from '../compose/cache.ts';
import { findConfig } from './find-config.ts';
import { untilStopped } from './until-stopped.ts';
import { UsageError } from './usage-error.ts';

/** Opens the cache of the configuration for one command, which a Ctrl-C ends in order. */
export async function withCache<T>(
  named: string | undefined,
  work: (cache: Cache, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  // Loaded when they are needed: `assay help` should not wait for them.
  const { loadConfig } = await import('../config/load.ts');
  const { openCache } = await import('../compose/cache.ts');
  const cache = await openCache(await loadConfig(findConfig(named)));
  try {
    return await untilStopped((signal) => work(cache, signal));
  } finally {
    await cache.close();
  }
}

/** For `--shared`. Throws `UsageError` where replicas share nothing. */
export async function sharedOf(cache: Cache): Promise<SharedCache> {
  const shared = await cache.shared();
  if (shared === undefined)
    throw new UsageError('--shared needs `storage.s3` in the configuration');
  return shared;
}
