import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config/schema.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Digest } from '../oci/digest.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { BlobStore, StoreUsage } from '../storage/blob-store.ts';
import { openFsBlobStore } from '../storage/fs-blob-store.ts';
import { listKept } from '../storage/kept-entries.ts';
import type { KeyValue } from '../storage/key-value.ts';
import { openLmdbKeyValue } from '../storage/lmdb-key-value.ts';
import { makePace, type Pace, type Wait } from '../storage/pace.ts';
import { scrub, type ScrubOptions, type ScrubReport } from '../storage/scrub.ts';
import { openSharedCache, type SharedCache } from './shared-cache.ts';
import { StartupError } from './startup-error.ts';
import { makeStorageFolder } from './state-folder.ts';

export { parseDigest } from '../oci/digest.ts';
export type { ScrubReport } from '../storage/scrub.ts';
export type { SharedCache, SharedPurge, SharedScrub, SharedUsage } from './shared-cache.ts';

/** The stored content without a server, or beside one that runs on the same configuration. */
export interface Cache {
  stats(): Promise<CacheStats>;
  /** `rate` in bytes a second; undefined: as fast as it goes. */
  scrub(
    options: ScrubOptions & { readonly rate?: number | undefined },
    signal: AbortSignal,
  ): Promise<ScrubReport>;
  /** Takes content away, also from under its readers, who still get all of it. */
  purge(wish: PurgeWish, signal: AbortSignal): Promise<Purged>;
  /** What replicas share; undefined where they share nothing. */
  shared(): Promise<SharedCache> | undefined;
  close(): Promise<void>;
}

export interface CacheStats extends StoreUsage {
  readonly path: string;
  /** What `storage.maxBytes` says. */
  readonly maxBytes: number | undefined;
  /** Manifests and small blobs. */
  readonly kept: Amount;
  /** When the stored blob was asked for that was not asked for longest. */
  readonly oldestUse: Date | undefined;
}

export interface Amount {
  readonly files: number;
  readonly bytes: number;
}

/** Everything, some digests, or the blobs that were not asked for since. */
export type PurgeWish =
  | { readonly what: 'all' }
  | { readonly what: 'digests'; readonly digests: readonly Digest[] }
  | { readonly what: 'unused'; readonly forMs: number };

export interface Purged {
  readonly blobs: Amount;
  /** Files of unfinished blobs; what is being fetched at the moment stays. */
  readonly partial: Amount;
  /** Manifests and small blobs, in all repositories. */
  readonly kept: Amount;
  /** Digests that were asked for and not there. */
  readonly absent: readonly Digest[];
}

const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
const noMetrics: Metrics = { count() {}, time() {}, set() {} };

const wait: Wait = (ms, signal) => delay(ms, undefined, { signal });

interface Opened {
  readonly store: BlobStore;
  readonly kept: KeyValue;
}

/** Throws `StartupError`. */
export async function openCache(config: Config, clock: Clock = systemClock): Promise<Cache> {
  const { path, maxBytes } = config.storage;
  await makeStorageFolder(path);
  const { store, kept } = await openBoth(path, clock);
  const { s3 } = config.storage;
  const observed = { clock, metrics: noMetrics, log: silentLog };
  const paceOf = (rate: number | undefined): Pace => makePace(rate, clock, wait);
  // Its client takes a while to load, which only those who use it are to pay.
  let sharing: Promise<SharedCache> | undefined;
  return {
    async stats() {
      const usage = await store.usage('anew');
      return {
        path,
        maxBytes: maxBytes?.bytes,
        ...usage,
        kept: sumOf(await listKept(kept)),
        oldestUse: await oldestUse(store),
      };
    },
    scrub({ rate, ...options }, signal) {
      return scrub({ store, pace: paceOf(rate), ...observed }, options, signal);
    },
    shared: () => s3 && (sharing ??= openSharedCache(s3, paceOf, observed)),
    purge: (wish, signal) => purge({ store, kept }, wish, clock, signal),
    async close() {
      // Why it could not be opened was told already.
      (await sharing?.catch(() => undefined))?.close();
      await store.close();
      await kept.close();
    },
  };
}

async function openBoth(path: string, clock: Clock): Promise<Opened> {
  try {
    const store = await openFsBlobStore({ path }, { clock });
    return { store, kept: await openLmdbKeyValue(join(path, 'content')) };
  } catch (cause) {
    throw new StartupError('STATE_UNUSABLE', messageOf(cause), { cause });
  }
}

async function oldestUse(store: BlobStore): Promise<Date | undefined> {
  let oldest: Date | undefined;
  for await (const { lastAccess } of store.list()) {
    if (oldest === undefined || lastAccess < oldest) oldest = lastAccess;
  }
  return oldest;
}

async function purge(
  { store, kept }: Opened,
  wish: PurgeWish,
  clock: Clock,
  signal: AbortSignal,
): Promise<Purged> {
  const blobs = { files: 0, bytes: 0 };
  const found = new Set<Digest>();
  const wanted = wish.what === 'digests' ? new Set(wish.digests) : undefined;
  const nowMs = clock.now().getTime();
  for await (const { digest, size, lastAccess } of store.list()) {
    signal.throwIfAborted();
    if (wanted !== undefined && !wanted.has(digest)) continue;
    if (wish.what === 'unused' && nowMs - lastAccess.getTime() < wish.forMs) continue;
    if (!(await store.remove(digest))) continue;
    found.add(digest);
    blobs.files += 1;
    blobs.bytes += size;
  }
  const unusedMs = wish.what === 'unused' ? wish.forMs : undefined;
  const partial = await store.purgePartial({ digests: wanted, unusedMs }, signal);
  const entries = await purgeKept(kept, wish, signal);
  for (const { digest } of entries) if (digest !== undefined) found.add(digest);
  const absent = [...(wanted ?? [])].filter((digest) => !found.has(digest));
  return { blobs, partial, kept: sumOf(entries), absent };
}

/** Nobody notes when a manifest was asked for last, so none is too old. */
async function purgeKept(kept: KeyValue, wish: PurgeWish, signal: AbortSignal) {
  if (wish.what === 'unused') return [];
  const entries = (await listKept(kept)).filter(
    ({ digest }) => wish.what === 'all' || (digest !== undefined && wish.digests.includes(digest)),
  );
  for (const { key } of entries) {
    signal.throwIfAborted();
    await kept.delete(key);
  }
  return entries;
}

function sumOf(entries: readonly { readonly bytes: number }[]): Amount {
  return { files: entries.length, bytes: entries.reduce((sum, { bytes }) => sum + bytes, 0) };
}
