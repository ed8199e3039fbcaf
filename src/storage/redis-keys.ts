import type { GroupOf } from './redis-key-value.ts';
import { StorageError } from './storage-error.ts';

/**
 * Of the names and the content of what is kept in Redis. Replicas of another version neither find
 * nor overwrite what they would read otherwise.
 */
export const redisSchema = 1;

/** Where in Redis an entry is. */
interface Place {
  readonly entry: string;
  /** Of the keys in its group; undefined: it is in none. */
  readonly index: string | undefined;
  /** Its name in the group. */
  readonly member: string;
  /** What stands before the names of its group. */
  readonly base: string;
}

interface GroupPlace {
  readonly group: string;
  readonly index: string;
  readonly base: string;
  /** What the names begin with. */
  readonly member: string;
}

/** The names in Redis. What is in braces decides about the node of a cluster. */
export function groupedKeys(keyPrefix: string, groupOf: GroupOf) {
  const start = `${keyPrefix}:${redisSchema}:`;
  const indexOf = (group: string): string => `${start}i{/${group}}`;
  const baseOf = (group: string): string => `${start}g{/${group}}`;
  return {
    placeOf(key: string): Place {
      const group = groupOf(key);
      if (group === undefined) {
        return { entry: `${start}k${key}`, index: undefined, member: key, base: start };
      }
      const member = key.slice(group.length);
      const base = baseOf(group);
      return { entry: base + member, index: indexOf(group), member, base };
    },
    groupOfPrefix(prefix: string): GroupPlace {
      const group = groupOf(prefix);
      if (group === undefined || !prefix.startsWith(group)) {
        throw new StorageError('STORAGE_FAILED', 'these keys can not be listed in redis');
      }
      return {
        group,
        index: indexOf(group),
        base: baseOf(group),
        member: prefix.slice(group.length),
      };
    },
  };
}

/** A name of ours beside the entries, for leases and the like. */
export function redisName(keyPrefix: string, kind: string, name: string): string {
  return `${keyPrefix}:${redisSchema}:${kind}{${name}}`;
}
