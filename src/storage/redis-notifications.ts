import type { NotificationListener, Notifications } from './notifications.ts';
import { openRedisClient, type RedisAddress } from './redis-client.ts';
import { redisName } from './redis-keys.ts';
import type { RedisDependencies, RedisLink } from './redis-link.ts';
import { StorageError } from './storage-error.ts';

/** Longer ones are none of ours. */
const maxMessageBytes = 1024;

export interface RedisNotificationsOptions {
  readonly address: RedisAddress;
  readonly keyPrefix: string;
  /** For what is sent; what is heard has a connection of its own, as Redis asks for. */
  readonly link: RedisLink;
}

/** Notifications over Redis' channels. What is sent while the connection is away is not heard. */
export function openRedisNotifications(
  { address, keyPrefix, link }: RedisNotificationsOptions,
  { clock, log }: RedisDependencies,
): Notifications {
  const listeners = new Map<string, Set<NotificationListener>>();
  const client = openRedisClient(address, () => clock.monotonicMs());
  const nameOf = (channel: string): string => redisName(keyPrefix, 'channel', channel);
  const listen = (channels: readonly string[]): void => {
    if (channels.length === 0) return;
    client.subscribe(...channels).catch(() => log.warn({}, 'redis takes no subscription'));
  };
  // One that fails, or is made before there is a connection, is made good by the next connection.
  client.on('ready', () => listen([...listeners.keys()]));
  client.on('message', (name: string, message: string) => {
    if (Buffer.byteLength(message) > maxMessageBytes) return;
    for (const listener of listeners.get(name) ?? []) listener(message);
  });
  return {
    async publish(channel, message) {
      if (Buffer.byteLength(message) > maxMessageBytes) {
        throw new StorageError('STORAGE_FAILED', 'the notification is too long');
      }
      await link.send('publish', 'PUBLISH', [nameOf(channel), message]);
    },
    subscribe(channel, listener) {
      const name = nameOf(channel);
      const isNew = !listeners.has(name);
      const own = listeners.get(name) ?? new Set();
      listeners.set(name, own);
      const told: NotificationListener = (message) => listener(message);
      own.add(told);
      if (isNew && client.status === 'ready') listen([name]);
      return () => void own.delete(told);
    },
    async close() {
      listeners.clear();
      client.disconnect();
    },
  };
}
