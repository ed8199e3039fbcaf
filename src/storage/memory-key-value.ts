import { toKeyBytes } from './key-bytes.ts';
import type { KeyValue } from './key-value.ts';
import { StorageError } from './storage-error.ts';
import { followTrail } from './trail.ts';

/** Values in this process's memory, without a bound: for one command's run, and for tests. */
export function makeMemoryKeyValue(): KeyValue {
  const values = new Map<string, Uint8Array>();
  let closed = false;
  const assertOpen = (): void => {
    if (closed) throw new StorageError('STORAGE_FAILED', 'the state in memory is closed');
  };
  const list = (prefix: string, limit: number): readonly string[] => {
    assertOpen();
    const found = [...values.keys()].filter((key) => key.startsWith(prefix));
    const sorted = found.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    return sorted.slice(0, limit);
  };
  const store: KeyValue = {
    async get(key) {
      assertOpen();
      toKeyBytes(key);
      const value = values.get(key);
      return value && new Uint8Array(value);
    },
    async put(key, value) {
      assertOpen();
      toKeyBytes(key);
      values.set(key, new Uint8Array(value));
    },
    async delete(key) {
      assertOpen();
      toKeyBytes(key);
      values.delete(key);
    },
    keys: async (prefix, limit) => list(prefix, limit),
    entries: async (prefix, limit) =>
      list(prefix, limit).map((key) => ({ key, value: new Uint8Array(values.get(key) ?? []) })),
    async close() {
      closed = true;
      values.clear();
    },
    follow: (trail) => followTrail(trail, store),
  };
  return store;
}
