import { makeLocalNotifications } from '../storage/local-notifications.ts';
import type { Notifications } from '../storage/notifications.ts';

/** Notifications among the processes of one host. */
export interface HostNotifications extends Notifications {
  /** What another process has told. */
  deliver(channel: string, message: string): void;
}

/** `tell` brings it to the others; what it brings may be lost with a process that ends. */
export function makeHostNotifications(
  tell: (channel: string, message: string) => void,
): HostNotifications {
  const local = makeLocalNotifications();
  return {
    ...local,
    async publish(channel, message) {
      await local.publish(channel, message);
      tell(channel, message);
    },
    deliver: (channel, message) => void local.publish(channel, message),
  };
}
