import type { Config } from '../config/schema.ts';
import { readTextFileBounded } from '../files/read-file.ts';
import type { HostPort, RedisAddress, RedisPlace, RedisTls } from '../storage/redis-client.ts';
import { readFailure } from './read-failure.ts';
import { StartupError } from './startup-error.ts';
import { maxPemBytes } from './limits.ts';

export type RedisConfig = NonNullable<Config['redis']>;

const redisPort = 6379;
const sentinelPort = 26379;
/** What the configuration says of it, with its files read. Throws `StartupError`. */
export async function redisAddressOf(redis: RedisConfig): Promise<RedisAddress> {
  const { username, password } = redis;
  return {
    place: placeOf(redis),
    username,
    password: password?.reveal(),
    tls: isTls(redis) ? await readTls(redis.tls ?? {}) : undefined,
  };
}

function placeOf(redis: RedisConfig): RedisPlace {
  if ('url' in redis) {
    const [, address = '', database = '0'] =
      /^rediss?:\/\/([^/]+)(?:\/(\d+))?$/.exec(redis.url) ?? [];
    return { kind: 'standalone', ...toHostPort(address, redisPort), database: Number(database) };
  }
  if ('cluster' in redis) {
    const nodes = redis.cluster.addresses.map((address) => toHostPort(address, redisPort));
    return { kind: 'cluster', nodes };
  }
  const { name, addresses, username, password, database = 0 } = redis.sentinel;
  const sentinels = addresses.map((address) => toHostPort(address, sentinelPort));
  return { kind: 'sentinel', name, sentinels, username, password: password?.reveal(), database };
}

function isTls(redis: RedisConfig): boolean {
  return 'url' in redis ? redis.url.startsWith('rediss:') : redis.tls !== undefined;
}

/** An IPv6 address is in brackets. */
function toHostPort(address: string, standardPort: number): HostPort {
  const [, bracketed, plain = '', port] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(address) ?? [];
  return { host: bracketed ?? plain, port: port === undefined ? standardPort : Number(port) };
}

async function readTls({
  ca,
  clientCertificate,
}: NonNullable<RedisConfig['tls']>): Promise<RedisTls> {
  const certificate = clientCertificate?.certificate;
  const key = clientCertificate?.key;
  return {
    ca: ca && (await read('ca', ca)),
    certificate: certificate && (await read('clientCertificate.certificate', certificate)),
    key: key && (await read('clientCertificate.key', key)),
  };
}

function read(key: string, file: string): Promise<string> {
  return readTextFileBounded(file, maxPemBytes).catch((cause: unknown) => {
    const message = `redis.tls.${key}: ${file} can not be read: ${readFailure(cause)}`;
    throw new StartupError('STATE_UNUSABLE', message, { cause });
  });
}
