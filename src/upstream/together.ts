import { abortable } from '../kernel/abort.ts';

/**
 * Does some work once for all who ask for the same while it is under way. Each waits as long as its
 * own signal lets it; the work is aborted once nobody waits any more.
 */
export type Together<T> = (
  key: string,
  work: (signal: AbortSignal) => Promise<T>,
  waiting: AbortSignal,
) => Promise<T>;

interface UnderWay<T> {
  readonly result: Promise<T>;
  readonly nobody: AbortController;
  waiters: number;
}

export function makeTogether<T>(): Together<T> {
  const underWay = new Map<string, UnderWay<T>>();
  const begin = (key: string, work: (signal: AbortSignal) => Promise<T>): UnderWay<T> => {
    const nobody = new AbortController();
    const begun: UnderWay<T> = { result: work(nobody.signal), nobody, waiters: 0 };
    underWay.set(key, begun);
    const end = (): void => {
      if (underWay.get(key) === begun) underWay.delete(key);
    };
    begun.result.then(end, end);
    nobody.signal.addEventListener('abort', end, { once: true });
    return begun;
  };
  return async (key, work, waiting) => {
    waiting.throwIfAborted();
    const joined = underWay.get(key) ?? begin(key, work);
    joined.waiters += 1;
    try {
      return await abortable(joined.result, waiting);
    } finally {
      joined.waiters -= 1;
      if (joined.waiters === 0) joined.nobody.abort();
    }
  };
}
