import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';

/** Where Redis is, and how to log in there. */
export interface RedisAddress {
  readonly place: RedisPlace;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Undefined: in plain. */
  readonly tls?: RedisTls | undefined;
}

export type RedisPlace =
  | ({ readonly kind: 'standalone'; readonly database: number } & HostPort)
  | {
      readonly kind: 'sentinel';
      /** What the sentinels call the master. */
      readonly name: string;
      readonly sentinels: readonly HostPort[];
      readonly username?: string | undefined;
      readonly password?: string | undefined;
      readonly database: number;
    }
  | { readonly kind: 'cluster'; readonly nodes: readonly HostPort[] };

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** PEM texts. */
export interface RedisTls {
  readonly ca?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

export type RedisClient = Redis | Cluster;

/** How often it is asked at most to connect anew because a server takes no writes. */
const readOnlyPauseMs = 5_000;
const connectMs = 2_000;
/** A connection that owes an answer for so long is given up, as one that was cut in silence. */
const silentMs = 5_000;
const mostPauseMs = 1_000;

const pauseMs = (tries: number): number => Math.min(25 * 2 ** Math.min(tries, 10), mostPauseMs);

/**
 * Connects in the background, and again for ever. Whoever asks while there is no connection is
 * told at once; nothing waits in a queue, and nothing is sent twice.
 */
export function openRedisClient(address: RedisAddress, monotonicMs: () => number): RedisClient {
  const client = makeClient(address, monotonicMs);
  // What ends the process otherwise. Whoever asks is told by the failure of what they asked.
  client.on('error', () => undefined);
  client.connect().catch(() => undefined);
  return client;
}

function makeClient(address: RedisAddress, monotonicMs: () => number): RedisClient {
  const { place } = address;
  const common = connectionOptions(address, monotonicMs);
  if (place.kind === 'cluster') {
    return new Cluster([...place.nodes], { ...clusterOptions, redisOptions: common });
  }
  const options = { ...common, enableOfflineQueue: false, retryStrategy: pauseMs };
  if (place.kind === 'standalone') {
    const { host, port, database: db } = place;
    return new Redis({ ...options, host, port, db });
  }
  return new Redis({ ...options, ...sentinelOptions(place, address.tls) });
}

function connectionOptions(
  { username, password, tls }: RedisAddress,
  monotonicMs: () => number,
): RedisOptions {
  let mayAskAtMs = -Infinity;
  return {
    lazyConnect: true,
    connectTimeout: connectMs,
    socketTimeout: silentMs,
    keepAlive: 10_000,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // After a failover the old master says so; the name may lead to the new one by now.
    reconnectOnError(error) {
      if (!error.message.startsWith('READONLY') || monotonicMs() < mayAskAtMs) return false;
      mayAskAtMs = monotonicMs() + readOnlyPauseMs;
      return true;
    },
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls !== undefined && { tls: tlsOptions(tls) }),
  };
}

function sentinelOptions(
  place: Extract<RedisPlace, { kind: 'sentinel' }>,
  tls: RedisTls | undefined,
): RedisOptions {
  const { name, sentinels, username, password, database: db } = place;
  return {
    name,
    sentinels: [...sentinels],
    db,
    sentinelRetryStrategy: pauseMs,
    sentinelReconnectStrategy: pauseMs,
    sentinelCommandTimeout: connectMs,
    failoverDetector: true,
    ...(username !== undefined && { sentinelUsername: username }),
    ...(password !== undefined && { sentinelPassword: password }),
    ...(tls !== undefined && { enableTLSForSentinelMode: true, sentinelTLS: tlsOptions(tls) }),
  };
}

const clusterOptions: ClusterOptions = {
  lazyConnect: true,
  enableOfflineQueue: false,
  clusterRetryStrategy: pauseMs,
  // A slot that moves is followed at once. Where a node is away its slots are, and whoever asks
  // goes on without: waiting for it would cost each of many reads its whole deadline.
  maxRedirections: 4,
  retryDelayOnFailover: 0,
  retryDelayOnClusterDown: 0,
  retryDelayOnTryAgain: 20,
  slotsRefreshTimeout: 1_000,
  slotsRefreshInterval: 2_000,
};

function tlsOptions({ ca, certificate, key }: RedisTls) {
  return {
    ...(ca !== undefined && { ca }),
    ...(certificate !== undefined && { cert: certificate }),
    ...(key !== undefined && { key }),
  };
}
