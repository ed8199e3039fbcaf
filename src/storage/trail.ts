import type { KeyValueEntry } from './key-value.ts';

/**
 * What a search will want before it knows so itself: from the digests that one value names it
 * goes on to the next. In each name below `*` stands for a digest. All of it is a guess, which
 * saves turns and decides nothing.
 */
export interface Trail {
  /** Read first: the digests in its value are gone on with. */
  readonly start?: string;
  /** Gone on with. */
  readonly digest?: string;
  /** Keys that are read for each digest. */
  readonly read: readonly string[];
  /** The same, and the digests in their values are gone on with. */
  readonly followed: readonly string[];
  /** Beginnings of keys that are listed for each digest; those in the rest of the keys are gone on with. */
  readonly listed: readonly string[];
}

export interface OnTrail {
  /** Undefined for a key that was found to have none; what is not here was not looked at. */
  readonly values: ReadonlyMap<string, Uint8Array | undefined>;
  /** By the beginning of their keys: all that there are, or `maxListed` of them. */
  readonly lists: ReadonlyMap<string, readonly KeyValueEntry[]>;
  readonly maxListed: number;
  /** Those that were gone on with. */
  readonly digests: readonly string[];
}

/** A layer, its image, an index, an index of indexes, and some that are shared. */
export const maxDigests = 8;
export const maxListed = 32;
/** What is larger is not looked at. */
export const maxTrailValueBytes = 64 * 1024;

const digestPattern = /sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}/g;

/** Follows it by single reads: for a store that has nothing better. */
export async function followTrail(
  { start, digest, read, followed, listed }: Trail,
  store: {
    readonly get: (key: string) => Promise<Uint8Array | undefined>;
    readonly entries: (prefix: string, limit: number) => Promise<readonly KeyValueEntry[]>;
  },
): Promise<OnTrail> {
  const values = new Map<string, Uint8Array | undefined>();
  const lists = new Map<string, readonly KeyValueEntry[]>();
  const names: string[] = digest === undefined ? [] : [digest];
  const note = (text: string): void => {
    for (const [name] of text.matchAll(digestPattern)) {
      if (names.length < maxDigests && !names.includes(name)) names.push(name);
    }
  };
  const look = async (key: string): Promise<string> => {
    const value = await store.get(key);
    if (value !== undefined && value.byteLength > maxTrailValueBytes) return '';
    values.set(key, value);
    return value === undefined ? '' : Buffer.from(value).toString('latin1');
  };
  if (start !== undefined) note(await look(start));
  // It grows meanwhile.
  for (const name of names) {
    for (const key of read) await look(filled(key, name));
    for (const key of followed) note(await look(filled(key, name)));
    for (const key of listed) {
      const prefix = filled(key, name);
      const entries = await store.entries(prefix, maxListed);
      lists.set(prefix, entries);
      for (const entry of entries) note(entry.key.slice(prefix.length));
    }
  }
  return { values, lists, maxListed, digests: names };
}

/** A name of a trail for one digest. */
export function filled(name: string, digest: string): string {
  return name.replace('*', digest);
}
