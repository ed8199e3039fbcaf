import type { Digest } from '../oci/digest.ts';
import { partsOf, readManifest } from '../oci/manifest.ts';
import type { GroupOf } from '../storage/eviction-order.ts';
import type { ManifestStore } from '../storage/manifest-store.ts';
import { type Holder, holdersOf } from './closure.ts';
import type { SealedState } from './sealed.ts';

/** A layer that so many images share is a group alone: it is not taken along by any of them. */
const maxHolders = 32;
/** Parts of those images that are looked at. */
const maxParts = 1_000;

export interface ClosureGroupsDependencies {
  readonly state: Pick<SealedState, 'names'>;
  /** Where the images' manifests are. */
  readonly kept: Pick<ManifestStore, 'get'>;
}

/**
 * What leaves the store with a blob: of all images that have it, those parts that no other image
 * has. An image that lost one layer would be fetched again in part at its next pull, and is worth
 * nothing while upstream is away. It only reads, and decides nothing about trust.
 */
export function makeClosureGroups({ state, kept }: ClosureGroupsDependencies): GroupOf {
  /** Undefined: too many to look at. */
  const namesOfHolders = async (part: Digest): Promise<ReadonlyMap<string, Holder> | undefined> => {
    const holders = await holdersOf(state, part, maxHolders + 1);
    if (holders.length > maxHolders) return undefined;
    return new Map(holders.map((holder) => [`${holder.scope}@${holder.digest}`, holder]));
  };
  const partsOfHolder = async ({ scope, digest }: Holder): Promise<readonly Digest[]> => {
    const content = await kept.get({ kind: 'manifest', place: scope, digest });
    if (content === undefined) return [];
    return partsOf(readManifest(content.bytes, undefined)).map((part) => part.digest);
  };
  return async (digest) => {
    const images = await namesOfHolders(digest);
    if (images === undefined) return [];
    const parts = new Set<Digest>();
    for (const image of images.values()) {
      for (const part of await partsOfHolder(image)) parts.add(part);
      if (parts.size > maxParts) return [];
    }
    parts.delete(digest);
    const group: Digest[] = [];
    for (const part of parts) {
      const others = await namesOfHolders(part);
      if (others !== undefined && [...others.keys()].every((name) => images.has(name))) {
        group.push(part);
      }
    }
    return group;
  };
}
