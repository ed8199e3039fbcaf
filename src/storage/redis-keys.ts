import type { GroupOf } from './redis-key-value.ts';
import { firstSchema, type IsOfAllVersions } from './state-schema.ts';
import { StorageError } from './storage-error.ts';

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

interface KeyNames {
  readonly keyPrefix: string;
  readonly groupOf: GroupOf;
  /** See `stateSchema`. */
  readonly schema: number;
  readonly isOfAllVersions: IsOfAllVersions;
}

/** The names in Redis. What is in braces decides about the node of a cluster. */
export function groupedKeys({ keyPrefix, groupOf, schema, isOfAllVersions }: KeyNames) {
  const startOf = (key: string): string =>
    `${keyPrefix}:${isOfAllVersions(key) ? firstSchema : schema}:`;
  const indexOf = (group: string): string => `${startOf(group)}i{/${group}}`;
  const baseOf = (group: string): string => `${startOf(group)}g{/${group}}`;
  return {
    placeOf(key: string): Place {
      const group = groupOf(key);
      if (group === undefined) {
        const start = startOf(key);
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

/** A name of ours beside the entries, for leases and the like: of all versions unless told. */
export function redisName(
  keyPrefix: string,
  kind: string,
  name: string,
  schema = firstSchema,
): string {
  return `${keyPrefix}:${schema}:${kind}{${name}}`;
}
