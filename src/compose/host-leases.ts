import type { Clock } from '../kernel/clock.ts';
import type { SharedLease, SharedLeases } from '../storage/shared-leases.ts';
import { StorageError } from '../storage/storage-error.ts';

/** What a worker asks the primary, who has the leases of a host. */
export type LeaseQuestion =
  | { readonly to: 'take'; readonly name: string; readonly forMs: number }
  | ({ readonly to: 'renew'; readonly forMs: number } & HeldLease)
  | ({ readonly to: 'release' } & HeldLease);

interface HeldLease {
  readonly name: string;
  readonly token: number;
}

/** Who of several workers does some work at the moment. */
export interface HostLeases {
  /** The token of the lease that was meant, and 0 where it is another's. */
  answer(worker: object, question: LeaseQuestion): number;
  /** It has ended, and so has its work. */
  forget(worker: object): void;
}

interface Taken {
  readonly worker: object;
  readonly token: number;
  untilMs: number;
}

export function makeHostLeases(clock: Clock): HostLeases {
  const taken = new Map<string, Taken>();
  let last = 0;
  const drop = (isOver: (each: Taken) => boolean): void => {
    for (const [name, each] of taken) if (isOver(each)) taken.delete(name);
  };
  const take = (worker: object, name: string, forMs: number): number => {
    const nowMs = clock.monotonicMs();
    const former = taken.get(name);
    if (former !== undefined && nowMs < former.untilMs) return 0;
    // Those that were never given back, now and then: all of it is as long as what is under way.
    if (last % 1024 === 0) drop(({ untilMs }) => untilMs <= nowMs);
    last += 1;
    taken.set(name, { worker, token: last, untilMs: nowMs + forMs });
    return last;
  };
  return {
    answer(worker, question) {
      const { name } = question;
      if (question.to === 'take') return take(worker, name, question.forMs);
      const own = taken.get(name);
      if (own?.token !== question.token) return 0;
      if (question.to === 'release') taken.delete(name);
      else own.untilMs = clock.monotonicMs() + question.forMs;
      return own.token;
    },
    forget: (worker) => drop((each) => each.worker === worker),
  };
}

/** The leases of the host, for a worker. `ask` yields undefined where the primary does not answer. */
export function askForLeases(
  ask: (question: LeaseQuestion) => Promise<number | undefined>,
): SharedLeases {
  return {
    async take(name, forMs): Promise<SharedLease | undefined> {
      const token = await ask({ to: 'take', name, forMs });
      if (token === undefined) {
        throw new StorageError('STORAGE_FAILED', 'the primary process does not answer');
      }
      if (token === 0) return undefined;
      return {
        token,
        renew: async (longerMs) => void (await ask({ to: 'renew', name, token, forMs: longerMs })),
        release: async () => void (await ask({ to: 'release', name, token })),
      };
    },
  };
}
