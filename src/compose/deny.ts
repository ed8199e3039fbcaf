import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import type { Readiness, ReadinessProbe } from '../admin/health.ts';
import { type DenialSet, mergeDenials } from '../gate/denial-set.ts';
import { makeDenyCopy, maxCopyBytes } from '../gate/deny-copy.ts';
import { type DenyList, makeDenyList } from '../gate/deny-list.ts';
import { makeDenyRecords } from '../gate/deny-records.ts';
import { type DenyReplica, openDenyReplica } from '../gate/deny-replica.ts';
import { isOfNewer } from '../gate/deny-reconcile.ts';
import { denyChannel } from '../gate/deny-tell.ts';
import { DenyListError, UnavailableError } from '../gate/gate-error.ts';
import { makeSeal } from '../gate/sealed.ts';
import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import { type DurableFile, makeDurableFile } from '../storage/durable-file.ts';
import type { KeyValue } from '../storage/key-value.ts';
import { makeTurns } from '../storage/turns.ts';
import { denyIntervalMs, denyLooksPerComparison } from './limits.ts';
import { StartupError } from './startup-error.ts';
import { openShared, type State } from './state.ts';
import { isStateUnused, makeStorageFolder, openSealKeys } from './state-folder.ts';
import type { Observed } from './verifier.ts';

export type SharedList = Pick<State, 'store' | 'seal' | 'notifications'>;

/** The deny list, read for the first time. Throws `StartupError` where it can't be known. */
export async function openDenyList(
  config: Pick<Config, 'storage' | 'redis'>,
  { store, seal, notifications }: SharedList,
  observed: Observed,
): Promise<DenyReplica> {
  // A command over Redis may be the first to keep anything there.
  await makeStorageFolder(config.storage.path);
  try {
    return await openDenyReplica({
      ...observed,
      records: makeDenyRecords(store, seal),
      copy: makeDenyCopy(copyFileOf(config), seal),
      notifications,
      inTurn: makeTurns(),
      copiesEmpty: config.redis !== undefined,
    });
  } catch (cause) {
    if (!(cause instanceof DenyListError)) throw cause;
    throw new StartupError('STATE_UNUSABLE', cause.message, { cause });
  }
}

/**
 * The deny list as it is at this moment, for a command that changes nothing; empty where there is
 * no state. Throws `UnavailableError` where it is in Redis, which may answer later, and
 * `StartupError` where it can't be read here.
 */
export async function readDenyList(config: Config, clock: Clock): Promise<DenyList> {
  const list = makeDenyList(clock);
  if (isStateUnused(config)) return list;
  const opened = new AsyncDisposableStack();
  try {
    const { store } = await openShared(config, opened);
    list.replace(await readBoth(config, store), 0);
    return list;
  } finally {
    await opened.disposeAsync();
  }
}

async function readBoth(config: Config, store: KeyValue): Promise<DenialSet> {
  const seal = makeSeal(await openSealKeys(config));
  const [shared, kept] = await Promise.all([
    makeDenyRecords(store, seal).read(),
    makeDenyCopy(copyFileOf(config), seal).read(),
  ]).catch((cause: unknown) => {
    throw denyListUnread(config, messageOf(cause), { cause });
  });
  if (shared.newer.length > 0 || kept.kind === 'newer') {
    throw new StartupError('STATE_UNUSABLE', `the deny list ${isOfNewer}`);
  }
  if (shared.unreadable.length > 0 || kept.kind === 'damaged') {
    throw new StartupError('STATE_UNUSABLE', 'the deny list does not open: see state.keys');
  }
  const own = kept.kind === 'whole' ? kept.denials.values() : [];
  return mergeDenials(shared.denials.values(), own);
}

/** What others keep may be there in a moment; what this machine keeps has to be put right. */
export function denyListUnread(
  { redis }: Pick<Config, 'redis'>,
  because: string,
  options?: ErrorOptions,
): UnavailableError | StartupError {
  if (redis === undefined) return new StartupError('STATE_UNUSABLE', because, options);
  const message = `the shared deny list can not be read: ${because}`;
  return new UnavailableError('UNAVAILABLE', message, options);
}

function copyFileOf({ storage }: Pick<Config, 'storage'>): DurableFile {
  return makeDurableFile(join(storage.path, 'deny-list'), maxCopyBytes);
}

/**
 * Takes over what others deny until `opened` is closed: when they say so, and every second whether
 * they say so or not.
 */
export function followDenyList(
  replica: DenyReplica,
  { notifications }: Pick<SharedList, 'notifications'>,
  opened: AsyncDisposableStack,
): void {
  const follower = makeFollower(replica);
  const timer = setInterval(follower.tick, denyIntervalMs);
  timer.unref();
  const leave = notifications.subscribe(denyChannel, follower.tell);
  opened.defer(async () => {
    clearInterval(timer);
    leave();
    await follower.idle();
  });
}

/** One look at a time, and one more for what comes meanwhile. */
function makeFollower(replica: DenyReplica) {
  let running: Promise<void> | undefined;
  let isWanted = false;
  let ticks = 0;
  const look = async (): Promise<void> => {
    do {
      isWanted = false;
      await replica.look(ticks % denyLooksPerComparison === 0 ? 'all' : 'changes');
    } while (isWanted);
    running = undefined;
  };
  return {
    tick: (): void => {
      ticks += 1;
      running ??= look();
    },
    tell: (): void => {
      isWanted = true;
      running ??= look();
    },
    idle: async (): Promise<void> => {
      isWanted = false;
      await running;
    },
  };
}

/** Why nothing may be served: what a newer version has denied is not known here. */
export function heldBackByList(replica: Pick<DenyReplica, 'health'>): string | undefined {
  return replica.health().newer > 0 ? `the deny list ${isOfNewer}` : undefined;
}

/** A list that was never read lets nothing through; one that is old is told, and goes on. */
export function makeDenyProbe(replica: DenyReplica): ReadinessProbe {
  const { list } = replica;
  return {
    name: 'deny list',
    async check(): Promise<Readiness> {
      const { problem, syncedAt, unreadable } = replica.health();
      const unknown = heldBackByList(replica);
      if (unknown !== undefined) return { ok: false, says: unknown };
      if (!list.isKnown()) return { ok: false, says: `can not be read yet: ${problem}` };
      const inForce = `epoch ${list.epoch()}, ${list.entries().length} in force`;
      const locked = unreadable > 0 ? `; ${unreadable} shared entries do not open here` : '';
      const since = syncedAt === undefined ? 'the last start' : syncedAt.toISOString();
      const old = problem === undefined ? '' : `; not seen since ${since}: ${problem}`;
      return { ok: true, says: `${inForce}${locked}${old}` };
    },
  };
}
