import { type Clock, randomHex } from '../kernel/clock.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Log } from '../observe/log.ts';
import type { KeyValue } from '../storage/key-value.ts';
import type { Notifications } from '../storage/notifications.ts';
import { UnavailableError } from './gate-error.ts';
import { makeRecent } from './recent.ts';
import type { Seal } from './sealed.ts';

/** What somebody wants to be looked at anew, whatever is remembered of it. */
export interface LookAgain {
  /** What was found out before this about any of the names does not count; undefined: all does. */
  since(...names: readonly string[]): Date | undefined;
  /** Another number after each wish. */
  generation(): number;
}

/** The wishes of all replicas, and of commands beside them. */
export interface SharedLookAgain extends LookAgain {
  /** Takes over what others wish: one small read. Never rejects. */
  look(): Promise<void>;
  /**
   * Wishes it on every replica, of a repository (`reg/app`), of a tag in it (`reg/app:1.0`) or of a
   * digest (`reg/app@sha256:…`). Throws `UnavailableError`.
   */
  ask(names: readonly string[]): Promise<void>;
}

export const neverAgain: LookAgain = { since: () => undefined, generation: () => 0 };

interface Wish {
  readonly id: string;
  readonly name: string;
  readonly at: Date;
}

export const lookAgainChannel = 'look-again';
const entryName = 'look-again';
/** The newest, in the state: each replica looks every second. */
const maxWishes = 500;
const maxInMemory = 10_000;
/** Two who write at the same time overwrite each other: each looks whether its wish is there. */
const maxTries = 5;

interface LookAgainDependencies {
  readonly store: KeyValue;
  readonly seal: Seal;
  readonly notifications: Notifications;
  readonly clock: Clock;
  readonly log: Log;
}

/** It weakens nothing: a wish that is lost leaves what was found to its own lifetime. */
export function makeLookAgain(dependencies: LookAgainDependencies): SharedLookAgain {
  const { store, seal, notifications, clock, log } = dependencies;
  const since = makeRecent<Date>(maxInMemory);
  const seen = makeRecent<true>(maxInMemory);
  let last: Uint8Array | undefined;
  let isFirst = true;
  let generation = 0;
  let isAway = false;

  const read = async (): Promise<readonly Wish[]> => {
    const sealed = await store.get(entryName);
    if (sealed === undefined || (last && Buffer.compare(last, sealed) === 0)) return [];
    last = sealed;
    return (seal.open(entryName, sealed) as readonly Wish[] | undefined) ?? [];
  };
  const take = (wishes: readonly Wish[]): void => {
    for (const { id, name, at } of wishes) {
      if (seen.get(id)) continue;
      seen.set(id, true);
      // By this clock, which has also timed what is remembered here; at the start there is nothing.
      since.set(name, isFirst ? at : clock.now());
      generation += 1;
    }
    isFirst = false;
  };
  return {
    since(...names) {
      // Nearly always: nobody wishes anything.
      if (generation === 0) return undefined;
      return names
        .map((name) => since.get(name))
        .reduce((one, other) => ((one ?? 0) > (other ?? 0) ? one : other), undefined);
    },
    generation: () => generation,
    async look() {
      try {
        take(await read());
        if (isAway) log.info({}, 'what is to be looked at again can be read again');
        isAway = false;
      } catch (error) {
        // Once an outage: this is tried every second.
        if (!isAway)
          log.warn({ because: messageOf(error) }, 'what is to be looked at again can not be read');
        isAway = true;
      }
    },
    async ask(names) {
      const wishes = names.map((name) => ({ id: randomHex(8), name, at: clock.now() }));
      try {
        for (let tries = 0; tries < maxTries; tries += 1)
          if (await write(wishes, dependencies)) break;
      } catch (cause) {
        throw new UnavailableError('UNAVAILABLE', 'the state can not be written', { cause });
      }
      take(wishes);
      await notifications.publish(lookAgainChannel, '').catch(() => undefined);
    },
  };
}

/** Whether they are there afterwards. */
async function write(
  wishes: readonly Wish[],
  { store, seal }: Pick<LookAgainDependencies, 'store' | 'seal'>,
): Promise<boolean> {
  const sealed = await store.get(entryName);
  const kept = (sealed && (seal.open(entryName, sealed) as readonly Wish[] | undefined)) ?? [];
  const others = kept.filter(({ id }) => wishes.every((wish) => wish.id !== id));
  const next = seal.close(entryName, [...others, ...wishes].slice(-maxWishes));
  await store.put(entryName, next);
  const found = await store.get(entryName);
  return found !== undefined && Buffer.compare(found, next) === 0;
}
