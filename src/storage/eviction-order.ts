import type { Digest } from '../oci/digest.ts';
import type { BlobStore, StoredInfo } from './blob-store.ts';

/**
 * The digests that leave with one: the other parts of its images that nothing else admits. Empty
 * where nothing is known of it. A rejection counts as that.
 */
export type GroupOf = (digest: Digest) => Promise<readonly Digest[]>;

export interface EvictionOrderDependencies {
  readonly store: Pick<BlobStore, 'list' | 'stat'>;
  readonly groupOf: GroupOf;
  /** Of the groups that are ordered at a time; unless told 20,000, which take a few MiB. */
  readonly maxCandidates?: number;
}

interface Candidate {
  readonly digest: Digest;
  readonly usedMs: number;
}

const defaultMaxCandidates = 20_000;

/**
 * What may be taken away, a group at a time, the one first that was not used for longest. A group
 * was used when the last of its members was; one with an open member is left out. It ends when all
 * of the oldest candidates were looked at: more may be left.
 */
export async function* evictionOrder(
  dependencies: EvictionOrderDependencies,
  signal: AbortSignal,
): AsyncGenerator<readonly StoredInfo[]> {
  const { store, maxCandidates = defaultMaxCandidates } = dependencies;
  const candidates = await oldestOf(store.list(), maxCandidates, signal);
  /** Those whose groups were used later than themselves, by that. */
  const later: Candidate[] = [];
  for (const candidate of candidates) {
    for (let first = later[0]; first !== undefined && first.usedMs <= candidate.usedMs;) {
      later.shift();
      const group = await gather(first, dependencies, signal);
      if (group.usedMs > candidate.usedMs) insert(later, { ...first, usedMs: group.usedMs });
      else if (isEvictable(group)) yield group.members;
      first = later[0];
    }
    const group = await gather(candidate, dependencies, signal);
    if (group.usedMs > candidate.usedMs) insert(later, { ...candidate, usedMs: group.usedMs });
    else if (isEvictable(group)) yield group.members;
  }
  for (const candidate of later) {
    const group = await gather(candidate, dependencies, signal);
    if (isEvictable(group)) yield group.members;
  }
}

interface Group {
  readonly members: readonly StoredInfo[];
  readonly usedMs: number;
}

function isEvictable({ members }: Group): boolean {
  return members.length > 0 && members.every(({ isOpen }) => !isOpen);
}

/** As it is at the moment: some of it may have left with others, or have been asked for. */
async function gather(
  { digest }: Candidate,
  { store, groupOf }: EvictionOrderDependencies,
  signal: AbortSignal,
): Promise<Group> {
  signal.throwIfAborted();
  const own = await store.stat(digest);
  if (own === undefined) return { members: [], usedMs: -Infinity };
  const others = await groupOf(digest).catch(() => []);
  const members = [own];
  for (const other of new Set(others)) {
    const info = other === digest ? undefined : await store.stat(other);
    if (info !== undefined) members.push(info);
  }
  return { members, usedMs: Math.max(...members.map(({ lastAccess }) => lastAccess.getTime())) };
}

async function oldestOf(
  list: AsyncIterable<StoredInfo>,
  count: number,
  signal: AbortSignal,
): Promise<readonly Candidate[]> {
  const kept: Candidate[] = [];
  for await (const { digest, lastAccess, isOpen } of list) {
    signal.throwIfAborted();
    if (isOpen) continue;
    kept.push({ digest, usedMs: lastAccess.getTime() });
    if (kept.length < 2 * count) continue;
    kept.sort(byUse);
    kept.length = count;
  }
  return kept.toSorted(byUse).slice(0, count);
}

function byUse(a: Candidate, b: Candidate): number {
  return a.usedMs - b.usedMs || (a.digest < b.digest ? -1 : 1);
}

function insert(sorted: Candidate[], candidate: Candidate): void {
  let low = 0;
  for (let high = sorted.length; low < high;) {
    const middle = (low + high) >>> 1;
    if (byUse(sorted[middle] ?? candidate, candidate) <= 0) low = middle + 1;
    else high = middle;
  }
  sorted.splice(low, 0, candidate);
}
