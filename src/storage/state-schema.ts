import type { KeyValue } from './key-value.ts';
import { StorageError } from './storage-error.ts';

/**
 * Of the names and the content of what is kept between requests. Raised when an older version would
 * read an entry otherwise than it is meant: it then neither finds nor overwrites it.
 */
export const stateSchema = 1;

/** Of what all versions read and write together, which is for ever the first. */
export const firstSchema = 1;

const stampKey = 'schema';
/** Deleted at a time. */
const page = 500;

/** Which names are of all versions. */
export type IsOfAllVersions = (key: string) => boolean;

/**
 * A store's own part for one schema, beside what is of all versions. Entries of another schema are
 * not there. Names of the first schema stand as they are.
 */
export function ofSchema(
  store: KeyValue,
  schema: number,
  isOfAllVersions: IsOfAllVersions,
): KeyValue {
  if (schema === firstSchema) return store;
  const start = startOf(schema);
  const nameOf = (key: string): string => (isOfAllVersions(key) ? key : start + key);
  const keyOf = (name: string): string =>
    name.startsWith(start) ? name.slice(start.length) : name;
  return {
    get: (key) => store.get(nameOf(key)),
    put: (key, value, options) => store.put(nameOf(key), value, options),
    delete: (key) => store.delete(nameOf(key)),
    keys: async (prefix, limit) => (await store.keys(nameOf(prefix), limit)).map(keyOf),
    async entries(prefix, limit) {
      const found = await store.entries(nameOf(prefix), limit);
      return found.map(({ key, value }) => ({ key: keyOf(key), value }));
    },
    close: () => store.close(),
  };
}

/** Throws `StorageError` where a newer version has used the store; `what` names it. */
export async function assertNotNewer(store: KeyValue, schema: number, what: string): Promise<void> {
  const found = await readStamp(store, what);
  if (found <= schema) return;
  const versions = `schema ${found}, and this version knows ${schema}`;
  throw new StorageError(
    'STORAGE_FAILED',
    `${what} was used by a newer version of Assay (${versions}): run that one, or move the folder away, and a new one is made`,
  );
}

/** Takes the store for this schema: older versions refuse it from now on. Throws `StorageError`. */
export async function stampSchema(store: KeyValue, schema: number, what: string): Promise<void> {
  await assertNotNewer(store, schema, what);
  const stamp = await store.get(stampKey);
  if (stamp === undefined || (await readStamp(store, what)) < schema) {
    await store.put(stampKey, Buffer.from(String(schema)));
  }
}

/**
 * Deletes what older versions left, which nobody finds any more, until the signal aborts: the next
 * start goes on with it. `families` are what the names of the first schema begin with.
 */
export async function discardOlder(
  store: KeyValue,
  schema: number,
  families: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  let discarded = 0;
  const older = Array.from({ length: schema - firstSchema }, (_, index) => firstSchema + index);
  const prefixes = older.flatMap((each) => (each === firstSchema ? families : [startOf(each)]));
  for (const prefix of prefixes) {
    for (;;) {
      signal.throwIfAborted();
      const keys = await store.keys(prefix, page);
      for (const key of keys) await store.delete(key);
      discarded += keys.length;
      if (keys.length < page) break;
    }
  }
  return discarded;
}

function startOf(schema: number): string {
  return `${schema}:`;
}

/** What bears no stamp is of the first schema. */
async function readStamp(store: KeyValue, what: string): Promise<number> {
  const stamp = await store.get(stampKey);
  if (stamp === undefined) return firstSchema;
  const text = Buffer.from(stamp.subarray(0, 16)).toString('latin1');
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new StorageError('STORAGE_FAILED', `${what} bears a damaged stamp: move the folder away`);
}
