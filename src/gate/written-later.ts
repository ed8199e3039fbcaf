import type { KeyValue } from '../storage/key-value.ts';

/** Bytes of values that wait at most; past it the oldest are given up. */
const defaultMaxBytes = 8 * 1024 * 1024;
const maxEntries = 20_000;

/** What a store did not take; undefined: a deletion. */
type Waiting = Uint8Array | undefined;

/**
 * A store whose failed writes are made up for as soon as it takes another one: a disk that was
 * full for a while must not cost those who come after a restart. Each failure is still the
 * caller's to see. What waits is read as if it were written.
 */
export function writtenLater(store: KeyValue, maxBytes = defaultMaxBytes): KeyValue {
  const waiting = new Map<string, Waiting>();
  let bytes = 0;
  let isFlushing = false;

  const forget = (key: string): void => {
    bytes -= waiting.get(key)?.byteLength ?? 0;
    waiting.delete(key);
  };
  const wait = (key: string, value: Waiting): void => {
    forget(key);
    waiting.set(key, value);
    bytes += value?.byteLength ?? 0;
    for (const oldest of waiting.keys()) {
      if (bytes <= maxBytes && waiting.size <= maxEntries) break;
      forget(oldest);
    }
  };
  const write = (key: string, value: Waiting): Promise<void> =>
    value === undefined ? store.delete(key) : store.put(key, value);

  const flush = async (): Promise<void> => {
    if (isFlushing) return;
    isFlushing = true;
    try {
      for (const [key, value] of waiting) {
        await write(key, value);
        // Unless a newer one came meanwhile.
        if (waiting.get(key) === value) forget(key);
      }
    } catch {
      // It waits on, for the next write that succeeds.
    } finally {
      isFlushing = false;
    }
  };
  const writeNow = async (key: string, value: Waiting): Promise<void> => {
    try {
      await write(key, value);
    } catch (error) {
      wait(key, value);
      throw error;
    }
    forget(key);
    if (waiting.size > 0) void flush();
  };

  return {
    get: async (key) => (waiting.has(key) ? waiting.get(key) : store.get(key)),
    put: (key, value) => writeNow(key, value),
    delete: (key) => writeNow(key, undefined),
    keys: (prefix, limit) => store.keys(prefix, limit),
    close: () => store.close(),
  };
}
