/**
 * Lets so many work at a time, those who begin before all others, else in the order in which they
 * asked. One whose work stands still, as on a disk that hangs, keeps nobody waiting for long.
 */
export interface SendTurns {
  /** Resolves when it is one's turn, with what ends it; ending it twice is ending it once. */
  take(who: Turn): Promise<() => void>;
}

type Turn = 'beginner' | 'other';

/** While nothing ends for `patienceMs`, one more of those who wait may work. */
export function makeSendTurns(atATime: number, patienceMs = 100): SendTurns {
  const waiting: Readonly<Record<Turn, (() => void)[]>> = { beginner: [], other: [] };
  let working = 0;
  let ended = 0;
  let timer: NodeJS.Timeout | undefined;

  const startNext = (): boolean => {
    const start = waiting.beginner.shift() ?? waiting.other.shift();
    if (start === undefined) return false;
    working += 1;
    start();
    return true;
  };
  const beginTurn = (): (() => void) => {
    let isEnded = false;
    return () => {
      if (isEnded) return;
      isEnded = true;
      working -= 1;
      ended += 1;
      if (working < atATime) startNext();
    };
  };
  const watch = (): void => {
    let before = ended;
    timer ??= setInterval(() => {
      const isStill = ended === before;
      before = ended;
      if (!isStill || startNext()) return;
      clearInterval(timer);
      timer = undefined;
    }, patienceMs).unref();
  };
  return {
    async take(who) {
      if (working < atATime) {
        working += 1;
        return beginTurn();
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting[who].push(resolve);
      watch();
      await promise;
      return beginTurn();
    },
  };
}
