/** Lets so many run at once, in the order in which they came. */
export interface Slots {
  /** Rejects with the signal's reason while it waits, and at once when too many wait already. */
  run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

export function makeSlots(atOnce: number, maxWaiting: number): Slots {
  let running = 0;
  const waiting = new Set<() => void>();
  const enter = async (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    if (running < atOnce) {
      running += 1;
      return;
    }
    if (waiting.size >= maxWaiting) throw new Error('too many requests wait already');
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = (): void => {
      waiting.delete(resolve);
      reject(signal.reason);
    };
    waiting.add(resolve);
    signal.addEventListener('abort', onAbort, { once: true });
    await promise.finally(() => signal.removeEventListener('abort', onAbort));
  };
  const leave = (): void => {
    const [next] = waiting;
    if (next === undefined) {
      running -= 1;
      return;
    }
    // The place is handed on.
    waiting.delete(next);
    next();
  };
  return {
    async run(work, signal) {
      await enter(signal);
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}
