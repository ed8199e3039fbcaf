import type { Clock } from '../kernel/clock.ts';
import { offsetWithin } from './clock-fence.ts';
import type { Heartbeat } from './heartbeat.ts';

/** Another replica that is there. */
export interface Present {
  readonly heartbeat: Heartbeat;
  /** How far its clock is from this one, at least. */
  readonly offsetMs: number;
}

/** Which other replicas are there. */
export interface RollCall {
  /** Takes what was just read; returns those that are there. */
  take(heartbeats: readonly Heartbeat[]): readonly Present[];
}

interface Heard extends Present {
  /** By the monotonic clock: when its last beat was heard that was a new one. */
  readonly heardAtMs: number;
}

/**
 * Goes by beats and not by the times in them, which may be wrong: a replica whose beat did not grow
 * for `lifeMs` is gone, whether its entry is still there or was put back.
 */
export function makeRollCall(own: string, clock: Clock, lifeMs: number): RollCall {
  let heard: ReadonlyMap<string, Heard> = new Map();
  let lastReadMs: number | undefined;
  return {
    take(heartbeats) {
      const nowMs = clock.now().getTime();
      const atMs = clock.monotonicMs();
      const next = new Map<string, Heard>();
      for (const heartbeat of heartbeats) {
        const { id, beat, clockMs } = heartbeat;
        if (id === own) continue;
        const former = heard.get(id);
        if (former !== undefined && beat <= former.heartbeat.beat) {
          next.set(id, former);
          continue;
        }
        // It was written since the last look; of one that is new here, within its life.
        const sinceMs = former === undefined ? lifeMs : Math.min(lifeMs, atMs - (lastReadMs ?? 0));
        const offsetMs = offsetWithin(clockMs, nowMs - sinceMs, nowMs);
        next.set(id, { heartbeat, offsetMs, heardAtMs: atMs });
      }
      heard = next;
      lastReadMs = atMs;
      return [...next.values()].filter(({ heardAtMs }) => atMs - heardAtMs <= lifeMs);
    },
  };
}
