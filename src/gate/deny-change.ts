import { randomHex } from '../kernel/clock.ts';
import type { Denial, DenialWish } from '../verdict/denial.ts';
import { epochOf, isInForce, maxDenials, mergeDenials } from './denial-set.ts';
import { isOfNewer } from './deny-reconcile.ts';
import type { ReplicaState } from './deny-replica.ts';
import { tell } from './deny-tell.ts';
import { DenyListError } from './gate-error.ts';

/**
 * In force here at once, wherever else it can be written. Throws `DenyListError` where it is not
 * both shared and kept; later looks try again then, as long as this process lives.
 */
export async function addDenial(state: ReplicaState, wish: DenialWish): Promise<Denial> {
  const [denial] = await addDenials(state, [wish]);
  if (denial === undefined) throw new TypeError('a wish became no denial');
  return denial;
}

/** The same for several, all of them or none where there is no room. */
export async function addDenials(
  state: ReplicaState,
  wishes: readonly DenialWish[],
): Promise<readonly Denial[]> {
  const { list, clock, log } = state;
  list.assertKnown();
  if (list.all().size + wishes.length > maxDenials) throw fullList();
  const epoch = list.epoch() + 1;
  const addedAt = clock.now();
  const added = wishes.map((wish) => ({ id: randomHex(8), ...wish, addedAt, epoch }));
  list.replace(mergeDenials(list.all().values(), added), epoch);
  await keep(state, added, 'it is denied here, but');
  for (const denial of added) log.info(toLogFields(denial), 'denied from now on');
  return added;
}

export function fullList(): DenyListError {
  const message = `the deny list has room for ${maxDenials} entries, and these would be more`;
  return new DenyListError('DENY_LIST_FULL', message);
}

/** Takes back those that are in force, or throws `DenyListError` and takes back none. */
export async function removeDenials(
  state: ReplicaState,
  ids: readonly string[],
): Promise<readonly Denial[]> {
  const { list, clock, log } = state;
  list.assertKnown();
  const at = clock.now();
  const epoch = list.epoch() + 1;
  const removed = ids
    .map((id) => list.all().get(id))
    .filter((denial) => denial !== undefined && isInForce(denial, at))
    .map((denial) => ({ ...(denial as Denial), removed: { epoch, at } }));
  if (removed.length === 0) return [];
  await keep(state, removed, 'it stays denied here:');
  list.replace(mergeDenials(list.all().values(), removed), epoch);
  for (const denial of removed) log.info(toLogFields(denial), 'no longer denied');
  return removed;
}

/** To all replicas, and to the disk. */
async function keep(
  state: ReplicaState,
  changed: readonly Denial[],
  meanwhile: string,
): Promise<void> {
  const { list, records, copy } = state;
  const next = mergeDenials(list.all().values(), changed);
  const epoch = Math.max(list.epoch(), epochOf(changed));
  // Read whole at the next look: others may write at the same time.
  state.mark = undefined;
  state.isCopyBehind = true;
  const share = async (): Promise<void> => {
    for (const denial of changed) await records.write(denial);
    await records.writeMark(epoch);
  };
  const save = async (): Promise<void> => {
    if (state.isCopyNewer) throw new DenyListError('DENY_LIST_UNWRITABLE', `its copy ${isOfNewer}`);
    await copy.write(next, epoch);
  };
  const [shared, kept] = await Promise.allSettled([share(), save()]);
  if (shared.status === 'fulfilled') await tell(state);
  if (kept.status === 'fulfilled' && shared.status === 'fulfilled') {
    state.isCopyBehind = false;
    return;
  }
  const [what, cause] =
    shared.status === 'rejected'
      ? ['the shared state can not be written', shared.reason]
      : [`${copy.path} can not be written`, kept.status === 'rejected' ? kept.reason : undefined];
  throw new DenyListError('DENY_LIST_UNWRITABLE', `${meanwhile} ${what}`, { cause });
}

function toLogFields({ id, target, reason, owner, epoch, until }: Denial): Record<string, unknown> {
  return { denial: id, target, reason, owner, epoch, until };
}
