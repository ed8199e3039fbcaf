import type { ReadinessProbe } from '../admin/health.ts';
import type { MetricsText } from '../admin/metrics.ts';
import { randomHex } from '../kernel/clock.ts';
import type { Notifications } from '../storage/notifications.ts';
import type { SharedLeases } from '../storage/shared-leases.ts';
import type { UsageNews } from '../storage/store-usage.ts';
import type { Address } from './listen.ts';

/** What a process has to do with the others of its host. */
export interface Host {
  /**
   * Whether it looks after what all have together, such as the stored content and Sigstore's roots:
   * one of them does.
   */
  readonly isKeeper: boolean;
  /** Undefined in the primary. */
  readonly worker?: number;
  /** Under which name the primary speaks to other replicas for all of them, who have one clock. */
  readonly replica: string;
  readonly notifications: Notifications;
  /** Where others do the same work; undefined in those that verify nothing. */
  readonly leases?: SharedLeases;
  /** Where they listen, as far as it is known; nothing is fetched from there. */
  readonly listeners: Address[];
  /** What the admin listener tells of all of them. */
  readonly told?: { readonly probe: ReadinessProbe; readonly metrics: MetricsText };
}

const usageChannel = 'usage';

/** How processes on the same folder know what the others added and removed. */
export function usageNewsOf({ notifications }: Pick<Host, 'notifications'>): UsageNews {
  // A listener is told what its own process tells, too.
  const own = randomHex(8);
  return {
    tell({ files, bytes }) {
      const message = `${own} ${files} ${bytes}`;
      void notifications.publish(usageChannel, message).catch(() => undefined);
    },
    follow(listener) {
      notifications.subscribe(usageChannel, (message) => {
        const [from, files, bytes] = message.split(' ');
        if (from !== own) listener({ files: Number(files), bytes: Number(bytes) });
      });
    },
  };
}
