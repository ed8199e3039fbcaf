import { messageOf } from '../kernel/tagged-error.ts';
import type { Denial } from '../verdict/denial.ts';
import { type DenialSet, isForgotten, mergeDenials, missingFrom, noDenials } from './denial-set.ts';
import type { ReadCopy } from './deny-copy.ts';
import type { Extent, ReplicaState } from './deny-replica.ts';
import type { ReadRecords } from './deny-records.ts';
import { tell } from './deny-tell.ts';
import { DenyListError } from './gate-error.ts';

/**
 * Brings this replica's list, its copy and the shared list together: each gets what the others
 * have. What is in force changes first; what fails after that is made up for by the next look.
 * Throws what the store throws, and `DenyListError` where the list is not known and can't be read.
 */
export async function reconcile(state: ReplicaState, extent: Extent): Promise<void> {
  const mark = await state.records.mark();
  if (extent === 'changes' && isSeen(state, mark)) return;
  const known = await readCopy(state, extent);
  const isAsBefore = extent === 'all' && known.kind === 'none' && isSeen(state, mark);
  if (!isAsBefore || !(await hasAll(state))) await bringTogether(state, mark, known);
  await saveCopy(state);
}

async function bringTogether(
  state: ReplicaState,
  mark: Uint8Array | undefined,
  known: KnownFromCopy,
): Promise<void> {
  const { records, list } = state;
  const shared = await records.read();
  noteUnreadable(state, shared);
  const sharedEpoch = mark && records.epochIn(mark);
  if (!list.isKnown()) assertReadable(state, known, { ...shared, mark, sharedEpoch });
  const former = list.epoch();
  const merged = withoutForgotten(
    mergeDenials(list.all().values(), known.denials.values(), shared.denials.values()),
    state,
  );
  const isOther = list.replace(merged, Math.max(sharedEpoch ?? 0, known.epoch));
  state.isCopyBehind ||= isOther && isWorthCopying(state);
  const lost = missingFrom(merged, shared.denials);
  const isBehind = mark === undefined ? former > 0 : (sharedEpoch ?? -1) < former;
  if (lost.length > 0 || isBehind) await publishAgain(state, lost, sharedEpoch);
  else state.mark = mark;
  await forgetShared(state, shared.denials);
}

/** Nobody has changed the shared list since it was read whole. */
function isSeen({ mark: seen, list }: ReplicaState, mark: Uint8Array | undefined): boolean {
  if (!list.isKnown()) return false;
  if (mark === undefined) return list.epoch() === 0 && list.all().size === 0;
  return seen !== undefined && Buffer.compare(seen, mark) === 0;
}

/** Whether the shared list has as many entries as it should, of the right names. */
async function hasAll({ records, list }: ReplicaState): Promise<boolean> {
  const ids = await records.ids();
  return [...list.all().keys()].every((id) => ids.has(id));
}

interface KnownFromCopy {
  /** `none`: there is nothing in it that is not known here. */
  readonly kind: 'none' | 'news' | 'damaged';
  readonly denials: DenialSet;
  readonly epoch: number;
}

const nothing: KnownFromCopy = { kind: 'none', denials: noDenials, epoch: 0 };

/** A command beside this process may have written to it what it could not share. */
async function readCopy(state: ReplicaState, extent: Extent): Promise<KnownFromCopy> {
  if (extent === 'changes' && state.list.isKnown()) return nothing;
  const read: ReadCopy = await state.copy.read();
  const { list, log, copy } = state;
  state.isCopyNewer = read.kind === 'newer';
  if (read.kind === 'newer') return nothing;
  if (read.kind === 'absent') {
    state.isCopyBehind ||= isWorthCopying(state);
    return nothing;
  }
  if (read.kind === 'damaged') {
    state.isCopyBehind = true;
    log.error(
      { file: copy.path, because: messageOf(read.cause ?? 'its seal does not fit') },
      damage,
    );
    return { ...nothing, kind: 'damaged' };
  }
  const { denials, epoch } = read;
  state.isCopyBehind ||= missingFrom(list.all(), denials).length > 0;
  const hasNews = missingFrom(denials, list.all()).length > 0;
  return { kind: hasNews ? 'news' : 'none', denials, epoch };
}

const damage = 'the copy of the deny list is damaged';

/** Where the state is this machine's own, a copy of an empty list only outlives the key that seals it. */
function isWorthCopying({ list, copiesEmpty = false }: ReplicaState): boolean {
  return list.epoch() > 0 || (copiesEmpty && list.isKnown());
}

interface ReadShared extends ReadRecords {
  readonly mark: Uint8Array | undefined;
  readonly sharedEpoch: number | undefined;
}

/** An empty list is believed only where nothing says that there was another one. */
function assertReadable(
  { copy }: ReplicaState,
  known: KnownFromCopy,
  { mark, sharedEpoch, unreadable, newer, denials }: ReadShared,
): void {
  if (mark !== undefined && sharedEpoch === undefined) {
    throw unknownList('the mark of the shared deny list does not open with the keys in state.keys');
  }
  if (unreadable.length > 0) {
    const count = `${unreadable.length} entries of the shared deny list`;
    throw unknownList(`${count} do not open with the keys in state.keys`);
  }
  if (newer.length > 0) throw unknownList(`the shared deny list ${isOfNewer}`);
  if (known.kind === 'damaged' && mark === undefined && denials.size === 0) {
    const why = 'is damaged or sealed with another key, and no other is left';
    throw unknownList(`the deny list ${copy.path} ${why}`);
  }
}

export const isOfNewer = 'has entries of a newer version of Assay, which this one does not know';

function unknownList(what: string): DenyListError {
  const message = `${what}: what it denies is not known, so nothing is served`;
  return new DenyListError('DENY_LIST_UNREADABLE', message);
}

function withoutForgotten(denials: DenialSet, { clock }: ReplicaState): DenialSet {
  const now = clock.now();
  const kept = [...denials].filter(([, denial]) => !isForgotten(denial, now));
  return kept.length === denials.size ? denials : new Map(kept);
}

/** The shared state was emptied, set back or tampered with: what was denied stays denied. */
async function publishAgain(
  state: ReplicaState,
  lost: readonly Denial[],
  sharedEpoch: number | undefined,
): Promise<void> {
  const { records, list, metrics, log } = state;
  const fields = { lost: lost.length, epoch: list.epoch(), found: sharedEpoch };
  log.error(fields, 'the shared deny list was empty or older; it is published again');
  metrics.count('assay_deny_list_republished_total', {});
  // Read whole at the next look: others may write at the same time.
  state.mark = undefined;
  for (const denial of lost) await records.write(denial);
  const epoch = list.epoch() + 1;
  await records.writeMark(epoch);
  list.replace(list.all(), epoch);
  state.isCopyBehind = true;
  await tell(state);
}

async function saveCopy(state: ReplicaState): Promise<void> {
  const { copy, list, log } = state;
  if (!state.isCopyBehind || state.isCopyNewer) return;
  try {
    await copy.write(list.all(), list.epoch());
    state.isCopyBehind = false;
  } catch (error) {
    log.error({ because: messageOf(error) }, 'the copy of the deny list can not be written');
  }
}

function noteUnreadable(state: ReplicaState, { unreadable, newer }: ReadRecords): void {
  const { metrics, log } = state;
  metrics.set('assay_deny_list_unreadable_entries', {}, unreadable.length + newer.length);
  metrics.set('assay_replica_fenced', { because: 'version' }, newer.length > 0 ? 1 : 0);
  if (newer.length > 0 && newer.join() !== state.newer.join()) {
    log.error({ count: newer.length }, `the shared deny list ${isOfNewer}: nothing is served`);
  }
  state.newer = newer;
  if (unreadable.length > 0 && unreadable.join() !== state.unreadable.join()) {
    const message = 'entries of the shared deny list do not open, and are not in force here';
    log.error({ entries: unreadable.slice(0, 5), count: unreadable.length }, message);
  }
  state.unreadable = unreadable;
}

async function forgetShared(state: ReplicaState, shared: DenialSet): Promise<void> {
  const now = state.clock.now();
  for (const denial of shared.values()) {
    if (isForgotten(denial, now)) await state.records.forget(denial.id);
  }
}
