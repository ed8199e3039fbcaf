import { NotAskedError } from './upstream-error.ts';

/** Bounds the requests to each origin that have no answer yet, whether sent or waiting to be. */
export interface OriginQueue {
  /** Returns what is to be called when the answer is there; throws `NotAskedError` when full. */
  enter(origin: string): () => void;
}

export function makeOriginQueue(maxWaiting: number): OriginQueue {
  const waiting = new Map<string, number>();
  return {
    enter(origin) {
      const before = waiting.get(origin) ?? 0;
      if (before >= maxWaiting) {
        const message = `${before} requests to it have no answer yet`;
        throw new NotAskedError('queue', 'UPSTREAM_UNREACHABLE', message, 1);
      }
      waiting.set(origin, before + 1);
      return () => {
        const left = (waiting.get(origin) ?? 1) - 1;
        if (left > 0) waiting.set(origin, left);
        else waiting.delete(origin);
      };
    },
  };
}
