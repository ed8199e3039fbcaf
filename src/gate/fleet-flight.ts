import { setTimeout as delay } from 'node:timers/promises';
import type { Metrics } from '../observe/metric-list.ts';
import type { FleetFlight } from '../storage/fleet-flight.ts';
import type { Notifications } from '../storage/notifications.ts';
import type { SharedLease, SharedLeases } from '../storage/shared-leases.ts';

export interface FleetDependencies {
  readonly leases: SharedLeases;
  readonly notifications: Notifications;
  readonly limits: FleetLimits;
}

export interface FleetLimits {
  /** A replica that died holds its lease for so long; one at work renews it. */
  readonly leaseMs: number;
  /** The longest that others wait for it, but for the last look. */
  readonly waitMs: number;
  /** They look so often, whether they are told or not. */
  readonly lookEveryMs: number;
}

export const noFleet: FleetFlight = { isShared: false, run: (_name, _look, work) => work() };

const channel = 'reached';

/** `operation` is what waiting for another replica is counted as. */
export function makeFleetFlight(
  { leases, notifications, limits }: FleetDependencies,
  metrics: Metrics,
  operation = 'verify-elsewhere',
): FleetFlight {
  const take = (name: string): Promise<SharedLease | undefined | 'nobody knows'> =>
    leases.take(name, limits.leaseMs).catch(() => 'nobody knows' as const);
  /** Not waited for: the answer is there, and what fails here ends by itself. */
  const giveBack = async (lease: SharedLease, name: string): Promise<void> => {
    await lease.release();
    await notifications.publish(channel, name).catch(() => undefined);
  };
  const doAs = async <T>(
    lease: SharedLease,
    name: string,
    look: () => Promise<T | undefined>,
    work: () => Promise<T>,
  ): Promise<T> => {
    const renewing = setInterval(() => void lease.renew(limits.leaseMs), limits.leaseMs / 3);
    renewing.unref();
    try {
      // It may have been left between the caller's look and the lease.
      return (await look().catch(() => undefined)) ?? (await work());
    } finally {
      clearInterval(renewing);
      void giveBack(lease, name);
    }
  };
  return {
    isShared: true,
    async run(name, look, work, signal) {
      const lease = await take(name);
      if (lease === 'nobody knows') return work();
      if (lease !== undefined) return doAs(lease, name, look, work);
      metrics.count('assay_coalesced_total', { operation });
      const waiting = waitFor(name, notifications);
      const bound = AbortSignal.timeout(limits.waitMs);
      try {
        while (!bound.aborted) {
          await waiting.next(limits.lookEveryMs, signal);
          const found = await look().catch(() => undefined);
          if (found !== undefined) return found;
          const next = await take(name);
          if (next === 'nobody knows') break;
          if (next !== undefined) return await doAs(next, name, look, work);
        }
      } finally {
        waiting.end();
      }
      return work();
    },
  };
}

/** Resolves when the name is told, or after so long. */
function waitFor(name: string, notifications: Notifications) {
  let told = Promise.withResolvers<void>();
  const end = notifications.subscribe(channel, (message) => {
    if (message === name) told.resolve();
  });
  return {
    async next(ms: number, signal: AbortSignal): Promise<void> {
      const timer = new AbortController();
      const ending = AbortSignal.any([signal, timer.signal]);
      const timeout = delay(ms, undefined, { signal: ending }).catch(() => undefined);
      await Promise.race([told.promise, timeout]);
      timer.abort();
      signal.throwIfAborted();
      told = Promise.withResolvers<void>();
    },
    end,
  };
}
