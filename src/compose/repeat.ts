/** Work that is done again and again. */
export interface Rounds {
  /** Does it now, or once more after the round that is under way. */
  now(): void;
  /** No more rounds; resolves when the one under way has ended. */
  close(): Promise<void>;
}

/** Does the work every `intervalMs`, one round at a time. The work must not reject. */
export function repeat(work: () => Promise<void>, intervalMs: number): Rounds {
  let running: Promise<void> | undefined;
  let isWanted = false;
  const closing = new AbortController();
  const run = async (): Promise<void> => {
    do {
      isWanted = false;
      await work();
    } while (isWanted && !closing.signal.aborted);
    running = undefined;
  };
  const start = (): void => {
    if (!closing.signal.aborted) running ??= run();
  };
  const timer = setInterval(start, intervalMs);
  timer.unref();
  return {
    now() {
      isWanted = true;
      start();
    },
    async close() {
      closing.abort();
      clearInterval(timer);
      await running;
    },
  };
}
