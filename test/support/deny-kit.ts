import type { DenyCopy, ReadCopy } from '../../src/gate/deny-copy.ts';
import { makeDenyRecords } from '../../src/gate/deny-records.ts';
import { type DenyReplica, openDenyReplica } from '../../src/gate/deny-replica.ts';
import { makeSeal, type Seal } from '../../src/gate/sealed.ts';
import type { KeyValue } from '../../src/storage/key-value.ts';
import { makeLocalNotifications } from '../../src/storage/local-notifications.ts';
import { makeMemoryKeyValue } from '../../src/storage/memory-key-value.ts';
import type { Notifications } from '../../src/storage/notifications.ts';
import { makeTurns } from '../../src/storage/turns.ts';
import type { Denial, DenialWish, DenyTarget } from '../../src/verdict/denial.ts';
import { type FakeClock, makeFakeClock } from './fake-clock.ts';
import { type CountingMetrics, type KeptLog, makeCountingMetrics, makeKeptLog } from './silence.ts';

export const sealOfTests = makeSeal([Buffer.alloc(32, 7)]);

let count = 0;

/** An entry as it would be after it was added. */
export function denialOf(target: DenyTarget, overrides: Partial<Denial> = {}): Denial {
  count += 1;
  const words = { reason: 'INC-1', owner: 'sre@acme.example' };
  const id = count.toString(16).padStart(16, '0');
  return { id, target, ...words, addedAt: new Date('2030-01-01'), epoch: 1, ...overrides };
}

export function wishOf(target: DenyTarget, until?: Date): DenialWish {
  return { target, reason: 'INC-1', owner: 'sre@acme.example', ...(until && { until }) };
}

/** A copy that is lost with the test. */
export interface MemoryCopy extends DenyCopy {
  kept: ReadCopy;
  /** Writes throw this from now on. */
  failure: Error | undefined;
}

export function makeMemoryCopy(kept: ReadCopy = { kind: 'absent' }): MemoryCopy {
  const copy: MemoryCopy = {
    path: 'data/deny-list',
    kept,
    failure: undefined,
    read: async () => copy.kept,
    async write(denials, epoch) {
      if (copy.failure !== undefined) throw copy.failure;
      copy.kept = { kind: 'whole', denials, epoch };
    },
  };
  return copy;
}

export interface ReplicaKit {
  readonly replica: DenyReplica;
  readonly store: KeyValue;
  readonly copy: MemoryCopy;
  readonly notifications: Notifications;
  readonly clock: FakeClock;
  readonly metrics: CountingMetrics;
  readonly log: KeptLog;
}

/** A replica over a store that others may share. */
export async function openReplicaKit(
  given: Partial<Pick<ReplicaKit, 'store' | 'copy' | 'notifications' | 'clock'>> & {
    readonly seal?: Seal;
    readonly copiesEmpty?: boolean;
  } = {},
): Promise<ReplicaKit> {
  const { store = makeMemoryKeyValue(), copy = makeMemoryCopy(), seal = sealOfTests } = given;
  const { notifications = makeLocalNotifications(), clock = makeFakeClock() } = given;
  const metrics = makeCountingMetrics();
  const log = makeKeptLog();
  const records = makeDenyRecords(store, seal);
  const parts = { copy, notifications, clock, metrics, log };
  const { copiesEmpty = false } = given;
  const replica = await openDenyReplica({ ...parts, records, copiesEmpty, inTurn: makeTurns() });
  return { replica, store, ...parts };
}

/** What the list denies, as a person would read it. */
export function deniedBy({ list }: DenyReplica): readonly string[] {
  return list
    .entries()
    .map(({ target }) => (target.kind === 'digest' ? target.digest : target.kind))
    .toSorted();
}

/** As FLUSHALL leaves it. */
export async function empty(store: KeyValue): Promise<void> {
  for (const key of await store.keys('', 100_000)) await store.delete(key);
}
