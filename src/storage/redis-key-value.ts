import { toKeyBytes } from './key-bytes.ts';
import { type KeyValue, type KeyValueEntry, maxKeyBytes } from './key-value.ts';
import { groupedKeys } from './redis-keys.ts';
import type { RedisLink } from './redis-link.ts';
import { deleteScript, forgetScript, listScript, putScript } from './redis-scripts.ts';
import { type IsOfAllVersions, stateSchema } from './state-schema.ts';
import { followRedisTrail } from './redis-trail.ts';
import { StorageError } from './storage-error.ts';

/** The group in which a key or a prefix of keys is listed; undefined: it can't be listed. */
export type GroupOf = (keyOrPrefix: string) => string | undefined;

export interface RedisKeyValueOptions {
  /** Before every key: what shares the server has another one. */
  readonly keyPrefix: string;
  readonly groupOf: GroupOf;
  /** Which schema's entries are read and written; the present one unless told. */
  readonly schema?: number;
  /** What replicas of every schema share; nothing unless told. */
  readonly isOfAllVersions?: IsOfAllVersions;
}

/** What somebody else put there must not fill the memory. */
const maxValueBytes = 8 * 1024 * 1024;
/** Of a value in a list. */
const maxListedBytes = 64 * 1024;
/** Of the names in a list whose entries are missing, so many are looked for where they may be. */
const maxLookedAt = 64;
/** Before each value, so that an empty one is told from none. */
const mark = Buffer.of(1);

/**
 * Values that replicas share, over a link that the caller closes. Only keys of a group can be
 * listed: the group is an index beside its entries, on the same node of a cluster. Whoever else
 * can write there may put anything under any key, so nothing read here is believed as it is.
 */
export function makeRedisKeyValue(
  link: RedisLink,
  { keyPrefix, groupOf, schema = stateSchema, isOfAllVersions = () => false }: RedisKeyValueOptions,
): KeyValue {
  const keys = groupedKeys({ keyPrefix, groupOf, schema, isOfAllVersions });
  let isClosed = false;
  const assertOpen = (): void => {
    if (isClosed) throw new StorageError('STORAGE_FAILED', 'the state in redis is closed');
  };
  const placeOf = (key: string) => {
    assertOpen();
    toKeyBytes(key);
    return keys.placeOf(key);
  };
  const { read, list, forget } = makeRedisEntries(link, keys, assertOpen);
  return {
    async get(key) {
      const { entry } = placeOf(key);
      const reply = await read(entry, maxValueBytes);
      if (reply.length === 0) return undefined;
      if (reply.length <= maxValueBytes) return reply.subarray(mark.length);
      throw new StorageError('STORAGE_FAILED', 'a value in redis is larger than any of ours');
    },
    async put(key, value, { keepMs = 0 } = {}) {
      const { entry, index, base, member } = placeOf(key);
      if (value.byteLength >= maxValueBytes) {
        throw new StorageError('STORAGE_FAILED', 'the value is too large for redis');
      }
      const bytes = Buffer.concat([mark, value]);
      const keep = Math.ceil(keepMs);
      if (index === undefined) {
        await link.send('put', 'SET', [entry, bytes, ...(keep > 0 ? ['PX', keep] : [])]);
        return;
      }
      const values = [bytes, keep, member, base];
      const missing = await link.send('put', 'EVAL', [putScript, 2, entry, index, ...values]);
      for (const name of namesOf(missing)) forget(index, base, name);
    },
    async delete(key) {
      const { entry, index, member } = placeOf(key);
      if (index === undefined) await link.send('delete', 'DEL', [entry]);
      else await link.send('delete', 'EVAL', [deleteScript, 2, entry, index, member]);
    },
    keys: async (prefix, limit) => (await list(prefix, limit, 0)).map(({ key }) => key),
    entries: (prefix, limit) => list(prefix, limit, maxListedBytes),
    async follow(trail) {
      assertOpen();
      return followRedisTrail(trail, link, keys);
    },
    async close() {
      isClosed = true;
    },
  };
}

/** Reads entries and lists of them. */
function makeRedisEntries(
  link: RedisLink,
  keys: ReturnType<typeof groupedKeys>,
  assertOpen: () => void,
) {
  /** Of a missing entry there are no bytes. */
  const read = async (entry: string, maxBytes: number): Promise<Buffer> => {
    const reply = await link.send('get', 'GETRANGE', [entry, 0, maxBytes]);
    return Buffer.isBuffer(reply) ? reply : Buffer.alloc(0);
  };
  /** Not waited for: an index that keeps a name for longer does no harm. */
  const forget = (index: string, base: string, name: Buffer): void => {
    const keys = [Buffer.concat([Buffer.from(base), name]), index];
    link.send('delete', 'EVAL', [forgetScript, 2, ...keys, name]).catch(() => undefined);
  };
  const list = async (
    prefix: string,
    limit: number,
    maxBytes: number,
  ): Promise<readonly KeyValueEntry[]> => {
    assertOpen();
    const { group, index, base, member } = keys.groupOfPrefix(prefix);
    if (limit <= 0) return [];
    const from = member === '' ? '-' : `[${member}`;
    const to = member === '' ? '+' : Buffer.concat([Buffer.from(`[${member}`), Buffer.of(0xff)]);
    const bounds = [from, to, limit, base, maxBytes, maxKeyBytes];
    const reply = await link.send('list', 'EVAL', [listScript, 1, index, ...bounds]);
    let lookedAt = 0;
    const found = await Promise.all(
      pairsOf(reply).map(async ([name, listed]) => {
        const key = group + name.toString();
        if (listed.length > 0) return { key, value: listed };
        if (lookedAt++ >= maxLookedAt) return { key, value: listed };
        const value = await read(base + name.toString(), maxBytes);
        if (value.length === 0) forget(index, base, name);
        return { key, value };
      }),
    );
    return found.flatMap(({ key, value }) =>
      value.length === 0 ? [] : [{ key, value: value.subarray(mark.length) }],
    );
  };
  return { read, list, forget };
}

function namesOf(reply: unknown): readonly Buffer[] {
  return Array.isArray(reply) ? reply.filter((name) => Buffer.isBuffer(name)) : [];
}

function pairsOf(reply: unknown): readonly (readonly [Buffer, Buffer])[] {
  if (!Array.isArray(reply)) return [];
  const pairs: [Buffer, Buffer][] = [];
  for (let at = 0; at + 1 < reply.length; at += 2) {
    const name: unknown = reply[at];
    const value: unknown = reply[at + 1];
    if (Buffer.isBuffer(name) && Buffer.isBuffer(value)) pairs.push([name, value]);
  }
  return pairs;
}
