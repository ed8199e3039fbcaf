import type { Config } from '../config/schema.ts';
import { makeClosureGroups } from '../gate/closure-groups.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import { type BlobsAtHand, withBlobMemory } from '../storage/blob-memory.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import { type Evictor, makeEvictor } from '../storage/evict.ts';
import { makeFills } from '../storage/fill-registry.ts';
import type { Fills } from '../storage/fill.ts';
import { openFsBlobStore } from '../storage/fs-blob-store.ts';
import { usualMarks } from '../storage/quota.ts';
import type { HandoverOptions } from '../upstream/hand-over.ts';
import { type Host, usageNewsOf } from './host.ts';
import { storageShares } from './limits.ts';
import { maintainContent } from './maintain-content.ts';
import { StartupError } from './startup-error.ts';
import { type OpenedTier, openSharedTier } from './shared-tier.ts';
import type { State } from './state.ts';
import type { Observed } from './verifier.ts';

/** Blobs of what was admitted, kept on disk. */
export interface Content {
  readonly store: BlobStore & BlobsAtHand;
  readonly fills: Fills;
  /** What other replicas have. */
  readonly shared?: OpenedTier | undefined;
  readonly handsOver?: HandoverOptions | undefined;
}

/**
 * Opens it under `storage.path`; closed by `opened`, but for the fills, which the caller ends
 * while there still are upstreams. It is kept tidy, whole and within its bounds in the background,
 * by one process of a host.
 */
export async function openContent(
  config: Config,
  observed: Observed,
  state: State,
  opened: AsyncDisposableStack,
  host?: Host,
): Promise<Content> {
  const { path, maxBytes, verifyOnRead, s3 } = config.storage;
  // Each needs the other; nothing is reserved before both are there.
  const reserve = (bytes: number) => evictor.reserve(bytes);
  const onDisk = await openFsBlobStore(
    { path, verifyOnRead },
    {
      ...observed,
      reserve,
      news: host && usageNewsOf(host),
    },
  ).catch((cause: unknown) => {
    throw new StartupError('STATE_UNUSABLE', messageOf(cause), { cause });
  });
  opened.defer(() => onDisk.close());
  const store = withBlobMemory(onDisk, observed);
  const evictor: Evictor = makeEvictor({
    ...observed,
    store,
    quota: { ...usualMarks, maxBytes: storageShares(maxBytes?.bytes).blobBytes },
    groupOf: makeClosureGroups({ state: state.sealed, kept: state.kept }),
  });
  opened.defer(() => evictor.close());
  if (host?.isKeeper !== false) keepContent(config, { ...observed, store, evictor, state }, opened);
  const shared =
    s3 &&
    (await openSharedTier(s3, state, observed, { opened, isKeeper: host?.isKeeper !== false }));
  return { store, fills: makeFills(store, observed), shared, handsOver: handoverOf(config) };
}

function handoverOf({ storage }: Config): HandoverOptions | undefined {
  const { accelLocation, s3 } = storage;
  const redirects = s3?.redirects === 'verified';
  return accelLocation === undefined && !redirects ? undefined : { accelLocation, redirects };
}

interface KeptContent extends Observed {
  readonly store: BlobStore;
  readonly evictor: Evictor;
  readonly state: Pick<State, 'local'>;
}

/** In the background, until `opened` is closed. */
function keepContent(
  { storage: { scrub, quarantine } }: Config,
  { state, ...content }: KeptContent,
  opened: AsyncDisposableStack,
): void {
  const ending = new AbortController();
  const scrubRate = scrub.rate.bytes === 0 ? undefined : scrub.rate.bytes;
  const maintaining = maintainContent(
    {
      ...content,
      values: state.local,
      scrubRate,
      quarantine: { maxBytes: quarantine.maxBytes.bytes, maxAgeMs: quarantine.maxAge.ms },
    },
    ending.signal,
  );
  opened.defer(async () => {
    ending.abort();
    await content.evictor.close();
    await maintaining;
  });
}
