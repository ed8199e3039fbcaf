import { abortable } from '../kernel/abort.ts';
import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { Notifications } from '../storage/notifications.ts';
import type { InTurn } from '../storage/turns.ts';
import { type Denial, type DenialWish, denyKinds } from '../verdict/denial.ts';
import { addDenial, addDenials, removeDenials } from './deny-change.ts';
import type { DenyCopy } from './deny-copy.ts';
import { type DenyList, type KeptDenyList, makeDenyList } from './deny-list.ts';
import { isOfNewer, reconcile } from './deny-reconcile.ts';
import type { DenyRecords } from './deny-records.ts';
import { DenyListError } from './gate-error.ts';

/** This replica's part in the deny list that all replicas share. */
export interface DenyReplica {
  readonly list: DenyList;
  /**
   * Takes over what others have changed. `changes`: one small read unless there are some; `all`:
   * everything is compared, this replica's own copy too. Never rejects.
   */
  look(extent: Extent): Promise<void>;
  /** See `addDenial`. */
  add(wish: DenialWish): Promise<Denial>;
  /** See `addDenials`. */
  addAll(wishes: readonly DenialWish[]): Promise<readonly Denial[]>;
  /** See `removeDenials`. */
  remove(ids: readonly string[]): Promise<readonly Denial[]>;
  health(): DenyHealth;
}

export type Extent = 'changes' | 'all';

export interface DenyHealth {
  /** When the shared list was last seen; undefined: never. */
  readonly syncedAt: Date | undefined;
  /** Why it could not be read at the last look. */
  readonly problem: string | undefined;
  /** Shared entries that can't be opened here. */
  readonly unreadable: number;
  /** Shared entries of a newer version: what they deny is not known here, so nothing is served. */
  readonly newer: number;
}

export interface DenyReplicaDependencies {
  readonly records: DenyRecords;
  readonly copy: DenyCopy;
  readonly notifications: Notifications;
  readonly inTurn: InTurn;
  /**
   * Whether a list that is empty is copied too: where the shared state may be away at the next
   * start, which then knows that nothing was denied.
   */
  readonly copiesEmpty?: boolean;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** What the parts of a replica work on together, one after the other. */
export interface ReplicaState extends DenyReplicaDependencies {
  readonly list: KeptDenyList;
  /** The mark from before the shared list was last read whole; undefined: it must be read again. */
  mark: Uint8Array | undefined;
  /** The copy does not hold all that is in force. */
  isCopyBehind: boolean;
  unreadable: readonly string[];
  newer: readonly string[];
  /** A newer version has written to the copy beside this process: it stays as it is. */
  isCopyNewer: boolean;
}

/** A store that hangs must not hold up the next look for ever. */
const turnMs = 10_000;

/**
 * Reads the list for the first time. Throws `DenyListError` where there is one that can't be read:
 * an empty list in its place would let through what it denies. Where the shared state does not
 * answer, the copy of this replica counts; where there is no copy either, the list is unknown until
 * a look finds it.
 */
export async function openDenyReplica(dependencies: DenyReplicaDependencies): Promise<DenyReplica> {
  const { metrics, clock, inTurn } = dependencies;
  const list = makeDenyList(clock, 'unknown');
  list.onChange(() => publishList(list, metrics));
  const fresh = {
    list,
    mark: undefined,
    isCopyBehind: false,
    unreadable: [],
    newer: [],
    isCopyNewer: false,
  };
  const state: ReplicaState = { ...dependencies, ...fresh };
  const health = watchHealth(state);
  const within = <T>(work: () => Promise<T>): Promise<T> =>
    inTurn(() => abortable(work(), AbortSignal.timeout(turnMs)));
  await start(state).then(health.seen, (error: unknown) => {
    // Another try would find the same, until somebody acts.
    if (error instanceof DenyListError) throw error;
    health.failed(error);
  });
  return {
    list,
    look: (extent) => within(() => reconcile(state, extent)).then(health.seen, health.failed),
    add: (wish) => within(() => addDenial(state, wish)),
    addAll: (wishes) => within(() => addDenials(state, wishes)),
    remove: (ids) => within(() => removeDenials(state, ids)),
    health: () => ({
      ...health.now(),
      unreadable: state.unreadable.length,
      newer: state.newer.length + (state.isCopyNewer ? 1 : 0),
    }),
  };
}

async function start(state: ReplicaState): Promise<void> {
  const { copy, list } = state;
  const kept = await copy.read();
  if (kept.kind === 'newer') {
    throw new DenyListError('DENY_LIST_UNREADABLE', `the deny list ${copy.path} ${isOfNewer}`);
  }
  if (kept.kind === 'whole') list.replace(kept.denials, kept.epoch);
  try {
    await abortable(reconcile(state, 'all'), AbortSignal.timeout(turnMs));
  } catch (cause) {
    if (cause instanceof DenyListError) throw cause;
    if (kept.kind !== 'damaged') throw cause;
    const message = `the deny list ${copy.path} is damaged, and the shared one can not be read`;
    throw new DenyListError('DENY_LIST_UNREADABLE', message, { cause });
  }
}

function watchHealth({ clock, metrics, log }: ReplicaState) {
  let syncedAt: Date | undefined;
  let problem: string | undefined;
  return {
    now: () => ({ syncedAt, problem }),
    seen: (): void => {
      if (problem !== undefined) log.info({}, 'the shared deny list is read again');
      problem = undefined;
      syncedAt = clock.now();
      metrics.set('assay_deny_list_synced_timestamp_seconds', {}, syncedAt.getTime() / 1000);
    },
    failed: (error: unknown): void => {
      const because = messageOf(error);
      if (because !== problem) log.error({ because }, 'the shared deny list can not be read');
      problem = because;
    },
  };
}

function publishList(list: DenyList, metrics: Metrics): void {
  metrics.set('assay_deny_list_epoch', {}, list.epoch());
  const counts = new Map<string, number>(denyKinds.map((kind) => [kind, 0]));
  for (const { target } of list.entries()) {
    counts.set(target.kind, (counts.get(target.kind) ?? 0) + 1);
  }
  for (const [kind, count] of counts) metrics.set('assay_deny_list_entries', { kind }, count);
}
