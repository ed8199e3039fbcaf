import type { Clock } from '../kernel/clock.ts';
import type { Digest } from '../oci/digest.ts';
import type { Tag } from '../oci/reference.ts';
import { olderOf, type SigningTime } from '../verdict/signing-times.ts';
import { UnavailableError } from './gate-error.ts';
import { makeRecent } from './recent.ts';
import type { SealedState } from './sealed.ts';

/** A digest that a tag was served with while it was trusted. */
export interface TagEntry {
  readonly digest: Digest;
  /** The index that vouched for it, where that was another digest. */
  readonly root?: Digest;
  /** Of an index that is trusted for its platforms: those, for which it vouches by no signature. */
  readonly parts?: readonly Digest[];
  /** Greater than that of every one that was known when it came: clocks of replicas differ. */
  readonly order: number;
  /** For a person. */
  readonly firstSeen: Date;
  /** The oldest time of signing that was ever proven of it here. */
  readonly signed?: SigningTime;
}

/**
 * What each tag was served with. Each digest has an entry of its own in the state, so that replicas
 * that write at the same time take nothing from each other. What this process knows is written
 * again where the state has lost it, and stands where the state can't be read.
 */
export interface TagHistory {
  /** Throws `UnavailableError` where the state can't be read and this process knows nothing. */
  of(scope: string, tag: Tag): Promise<readonly TagEntry[]>;
  /** Notes what is being served. Asked for after `of`. */
  note(scope: string, tag: Tag, seen: SeenContent): Promise<void>;
}

/** What a tag points at now. */
export type SeenContent = Pick<TagEntry, 'digest' | 'root' | 'parts' | 'signed'>;

/** Digests remembered of a tag; those that came first are forgotten first. */
export const maxTagEntries = 32;
/** Replicas may exceed that together until one of them looks. */
const maxRead = 4 * maxTagEntries;
const maxTagsInMemory = 10_000;

type Entries = ReadonlyMap<Digest, TagEntry>;

export function makeTagHistory(state: SealedState, clock: Clock): TagHistory {
  const recent = makeRecent<Entries>(maxTagsInMemory);

  const load = async (prefix: string): Promise<Entries> => {
    const local = recent.get(prefix);
    let stored: readonly TagEntry[];
    try {
      stored = (await state.values(prefix, maxRead)) as readonly TagEntry[];
    } catch (error) {
      if (!(error instanceof UnavailableError) || local === undefined) throw error;
      return local;
    }
    const merged = merge([...stored, ...(local?.values() ?? [])]);
    const kept = newest(merged);
    const known = merge(stored);
    const put = [...kept.values()].filter((entry) => !isSame(entry, known.get(entry.digest)));
    const gone = [...known.keys()].filter((digest) => !kept.has(digest));
    await Promise.all([
      ...put.map((entry) => state.put(`${prefix}${entry.digest}`, entry)),
      ...gone.map((digest) => state.delete(`${prefix}${digest}`)),
    ]);
    recent.set(prefix, kept);
    return kept;
  };

  return {
    of: async (scope, tag) => [...(await load(prefixOf(scope, tag))).values()],
    async note(scope, tag, seen) {
      const { digest, root, parts, signed } = seen;
      const prefix = prefixOf(scope, tag);
      const known = recent.get(prefix) ?? (await load(prefix));
      const former = known.get(digest);
      const names = { digest, ...(root && { root }), ...(parts && { parts }) };
      const order = noteOrder(seen, [...known.values()]);
      const began = former ?? { ...names, order, firstSeen: clock.now() };
      const oldest = olderOf(former?.signed, signed);
      const entry: TagEntry = { ...began, ...(oldest && { signed: oldest }) };
      if (isSame(entry, former)) return;
      recent.set(prefix, newest(merge([...known.values(), entry])));
      await state.put(`${prefix}${digest}`, entry);
    },
  };
}

/** Whether both are one content, or parts of one: neither is older than the other then. */
export function isKin(one: SeenContent, other: SeenContent): boolean {
  return one.digest === other.digest || (one.root ?? one.digest) === (other.root ?? other.digest);
}

/**
 * When the content, or what it is a part of, came; undefined: neither was ever seen. An index that
 * nobody signed is as old as the oldest of its parts: else who writes a new one around old parts
 * would have them for new.
 */
export function orderOf(seen: SeenContent, history: readonly TagEntry[]): number | undefined {
  const kin = history.filter((entry) => isKin(seen, entry) || isPartOf(seen, entry));
  if (kin.length > 0) return lastOrder(kin);
  const parts = ordersOfParts(seen, history).filter((order) => order !== undefined);
  return parts.length === 0 ? undefined : Math.min(...parts);
}

/** What has a part that was never seen came now. */
function noteOrder(seen: SeenContent, history: readonly TagEntry[]): number {
  const isNew = ordersOfParts(seen, history).includes(undefined);
  const order = isNew ? undefined : orderOf(seen, history);
  return order ?? lastOrder(history) + 1;
}

function ordersOfParts({ parts = [] }: SeenContent, history: readonly TagEntry[]) {
  return parts.map((digest) => orderOf({ digest }, history));
}

/** Whether the one is among the platforms that the other is trusted for. */
export function isPartOf(
  { digest, root = digest }: SeenContent,
  { parts = [] }: SeenContent,
): boolean {
  return parts.includes(digest) || parts.includes(root);
}

function lastOrder(entries: Iterable<TagEntry>): number {
  return Math.max(0, ...[...entries].map(({ order }) => order));
}

/** What is stored of a tag, for one who only looks. Throws what the state throws. */
export async function readTagHistory(
  state: Pick<SealedState, 'values'>,
  scope: string,
  tag: Tag,
): Promise<readonly TagEntry[]> {
  const stored = (await state.values(prefixOf(scope, tag), maxRead)) as readonly TagEntry[];
  return [...newest(merge(stored)).values()];
}

/** A tag has no `@`, so that no tag's entries begin like another's. */
function prefixOf(scope: string, tag: Tag): string {
  return `tag-history/${scope}:${tag}@`;
}

/** Of two accounts of a digest the older ones hold, whoever tells them, in whatever order. */
function merge(entries: Iterable<TagEntry>): Entries {
  const merged = new Map<Digest, TagEntry>();
  for (const entry of entries) {
    const { digest } = entry;
    const other = merged.get(digest);
    const first = other !== undefined && other.order <= entry.order ? other : entry;
    const signed = olderOf(other?.signed, entry.signed);
    merged.set(digest, { ...first, ...(signed && { signed }) });
  }
  return merged;
}

/** As many as are remembered: those that came last, and in any case the one signed last. */
function newest(entries: Entries): Entries {
  if (entries.size <= maxTagEntries) return entries;
  const byOrder = [...entries.values()].toSorted(
    (a, b) => b.order - a.order || (a.digest < b.digest ? -1 : 1),
  );
  const [last] = byOrder.toSorted((a, b) => signedMs(b) - signedMs(a));
  const kept = new Set(byOrder.slice(0, maxTagEntries - 1));
  if (last !== undefined) kept.add(last);
  return new Map([...kept].map((entry) => [entry.digest, entry]));
}

function signedMs({ signed }: TagEntry): number {
  return signed?.earliest.getTime() ?? -Infinity;
}

function isSame(one: TagEntry, other: TagEntry | undefined): boolean {
  return (
    other !== undefined &&
    one.order === other.order &&
    one.signed?.earliest.getTime() === other.signed?.earliest.getTime() &&
    one.signed?.latest.getTime() === other.signed?.latest.getTime()
  );
}
