import { abortable } from '../kernel/abort.ts';

/** One of those that may run. */
export interface Place {
  giveBack(): void;
}

/** Lets `running` work at once and `waiting` wait; whoever comes then is turned away. */
export interface Places {
  /** Undefined where none may even wait; throws the signal's reason. The caller gives it back. */
  take(signal: AbortSignal): Promise<Place | undefined>;
}

export function makePlaces(limits: { readonly running: number; readonly waiting: number }): Places {
  let free = limits.running;
  const queue: (() => void)[] = [];
  const passOn = (): void => {
    const next = queue.shift();
    if (next === undefined) free += 1;
    else next();
  };
  const place = (): Place => {
    let held = true;
    return {
      giveBack() {
        if (held) passOn();
        held = false;
      },
    };
  };
  return {
    async take(signal) {
      signal.throwIfAborted();
      if (free > 0) {
        free -= 1;
        return place();
      }
      if (queue.length >= limits.waiting) return undefined;
      const { promise, resolve } = Promise.withResolvers<void>();
      queue.push(resolve);
      try {
        await abortable(promise, signal);
      } catch (error) {
        const index = queue.indexOf(resolve);
        // Not in the queue any more: the place was given in the same moment, and is passed on.
        if (index === -1) passOn();
        else queue.splice(index, 1);
        throw error;
      }
      return place();
    },
  };
}
