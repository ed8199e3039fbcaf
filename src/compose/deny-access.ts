import type { Config } from '../config/schema.ts';
import { parseRfc3339 } from '../crypto/rfc3339.ts';
import { makeSeal } from '../gate/sealed.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import {
  readDenialWish,
  readDenyTarget,
  type ReadWish,
  type WrittenDenial,
  type WrittenTarget,
} from '../verdict/denial-wish.ts';
import { describeTarget, type ListedDenial, toListed } from '../verdict/denial.ts';
import { denyListUnread, openDenyList } from './deny.ts';
import { openSealKeys } from './state-folder.ts';
import { openShared } from './state.ts';

export type { ListedDenial } from '../verdict/denial.ts';

/** The deny list of a fleet, for one command. */
export interface DenyAccess {
  list(): Promise<DenyListing>;
  /** `problem`: what was written makes no entry. Throws where it is not kept everywhere. */
  add(written: WrittenDenial): Promise<ReadWish<ListedDenial>>;
  /** Undefined where no entry with this id is in force. */
  remove(id: string): Promise<ListedDenial | undefined>;
  close(): Promise<void>;
}

export interface DenyListing {
  readonly epoch: number;
  readonly entries: readonly ListedDenial[];
}

const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
const noMetrics: Metrics = { count() {}, time() {}, set() {} };

/** Through the state that the configuration names. Throws as `readDenyList` does. */
export async function openDenyAccess(
  config: Config,
  clock: Clock = systemClock,
): Promise<DenyAccess> {
  const opened = new AsyncDisposableStack();
  try {
    const shared = await openShared(config, opened);
    const seal = makeSeal(await openSealKeys(config));
    const silent = { clock, log: silentLog, metrics: noMetrics };
    const replica = await openDenyList(config, { ...shared, seal }, silent);
    const { problem } = replica.health();
    if (problem !== undefined) throw denyListUnread(config, problem);
    return {
      list: async () => ({
        epoch: replica.list.epoch(),
        entries: replica.list.entries().map(toListed),
      }),
      async add(written) {
        const read = readDenialWish(written, { now: clock.now(), parse: parseRfc3339 });
        if ('problem' in read) return read;
        return { wish: toListed(await replica.add(read.wish)) };
      },
      async remove(id) {
        const [removed] = await replica.remove([id]);
        return removed && toListed(removed);
      },
      close: () => opened.disposeAsync(),
    };
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

/** How a list names what was written, to find its entries; or what is wrong with it. */
export function describeWritten(written: WrittenTarget): ReadWish<string> {
  const read = readDenyTarget(written);
  return 'problem' in read ? read : { wish: describeTarget(read.wish) };
}
