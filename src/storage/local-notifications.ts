import type { NotificationListener, Notifications } from './notifications.ts';

/** Notifications within this process: all there is where state is not shared over a network. */
export function makeLocalNotifications(): Notifications {
  const listeners = new Map<string, Set<NotificationListener>>();
  return {
    async publish(channel, message) {
      // Not within the publisher's own turn, as over a network.
      for (const listener of listeners.get(channel) ?? []) queueMicrotask(() => listener(message));
    },
    subscribe(channel, listener) {
      const own = listeners.get(channel) ?? new Set();
      listeners.set(channel, own);
      // A function of its own, so that one who subscribes twice is told twice.
      const told: NotificationListener = (message) => {
        if (own.has(told)) listener(message);
      };
      own.add(told);
      return () => void own.delete(told);
    },
    async close() {
      listeners.clear();
    },
  };
}
