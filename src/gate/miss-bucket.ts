import type { Clock } from '../kernel/clock.ts';
import { OverLimitError } from './gate-error.ts';

/** How many failing misses one client may cause. */
export interface MissLimits {
  /** At once, and under way at the same time. */
  readonly burst: number;
  readonly perMinute: number;
  /** Who waits for what is under way of the same client. */
  readonly maxWaiting: number;
  /** The longest that one waits. */
  readonly waitMs: number;
}

/** A token that is held while nobody knows yet whether the miss fails. What is told first counts. */
export interface HeldToken {
  /** It failed: the token comes back with time alone. */
  spend(): void;
  giveBack(): void;
}

/**
 * A token bucket for what turns out only later. A token is held while an upstream is asked, so that
 * many asked at once can't be more than the bucket has; it is given back where the answer was good,
 * so that whoever asks for what exists never runs out. What finds all tokens held waits for one to
 * come back; what finds them spent is refused.
 */
export interface MissBucket {
  /** A token, at once where there is one. Throws or rejects with `OverLimitError`. */
  hold(waiting: AbortSignal): HeldToken | Promise<HeldToken>;
}

interface Waiter {
  grant(token: HeldToken): void;
  refuse(error: OverLimitError): void;
}

const minuteMs = 60_000;

export function makeMissBucket(limits: MissLimits, clock: Pick<Clock, 'monotonicMs'>): MissBucket {
  const { burst, perMinute, maxWaiting, waitMs } = limits;
  const tokens = makeTokens(limits, clock);
  const waiters = new Set<Waiter>();

  const refusal = (): OverLimitError => {
    const seconds = tokens.isSpent() ? ((tokens.spent() + 1 - burst) * 60) / perMinute : 1;
    const message = 'too many of your requests were for what does not exist or is denied';
    return new OverLimitError('client-misses', message, Math.max(1, Math.ceil(seconds)));
  };
  const take = (): HeldToken => tokens.take(serve);
  /** Whoever waits gets what came back, or is told that nothing will. */
  const serve = (): void => {
    for (const waiter of waiters) {
      if (tokens.isSpent()) waiter.refuse(refusal());
      else if (tokens.isThere()) waiter.grant(take());
      else return;
    }
  };
  return {
    hold(waiting) {
      tokens.refill();
      if (tokens.isSpent()) throw refusal();
      if (waiters.size === 0 && tokens.isThere()) return take();
      if (waiters.size >= maxWaiting) throw refusal();
      waiting.throwIfAborted();
      return joinWaiters(waiters, waiting, { ms: waitMs, refusal });
    },
  };
}

/** How many are held, how many spent. */
function makeTokens(
  { burst, perMinute }: Pick<MissLimits, 'burst' | 'perMinute'>,
  clock: Pick<Clock, 'monotonicMs'>,
) {
  let held = 0;
  /** Falls with time, to none. */
  let spent = 0;
  let asOfMs = clock.monotonicMs();
  const refill = (): void => {
    const nowMs = clock.monotonicMs();
    spent = Math.max(0, spent - ((nowMs - asOfMs) * perMinute) / minuteMs);
    asOfMs = nowMs;
  };
  return {
    refill,
    spent: () => spent,
    isSpent: () => spent + 1 > burst,
    isThere: () => spent + held + 1 <= burst,
    take(onSettled: () => void): HeldToken {
      held += 1;
      let isSettled = false;
      const settle = (by: number): void => {
        if (isSettled) return;
        isSettled = true;
        refill();
        held -= 1;
        spent += by;
        onSettled();
      };
      return { spend: () => settle(1), giveBack: () => settle(0) };
    },
  };
}

function joinWaiters(
  waiters: Set<Waiter>,
  waiting: AbortSignal,
  { ms, refusal }: { readonly ms: number; readonly refusal: () => OverLimitError },
): Promise<HeldToken> {
  const { promise, resolve, reject } = Promise.withResolvers<HeldToken>();
  const end = (): void => {
    waiters.delete(waiter);
    clearTimeout(timer);
    waiting.removeEventListener('abort', onAbort);
  };
  const waiter: Waiter = {
    grant(token) {
      end();
      resolve(token);
    },
    refuse(error) {
      end();
      reject(error);
    },
  };
  const onAbort = (): void => {
    end();
    reject(waiting.reason as Error);
  };
  const timer = setTimeout(() => waiter.refuse(refusal()), ms);
  waiting.addEventListener('abort', onAbort, { once: true });
  waiters.add(waiter);
  return promise;
}
