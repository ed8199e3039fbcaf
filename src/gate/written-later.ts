import type { KeyValue, PutOptions } from '../storage/key-value.ts';
import type { OnTrail, Trail } from '../storage/trail.ts';

/** Bytes of values that wait at most; past it the oldest are given up. */
const defaultMaxBytes = 8 * 1024 * 1024;
const maxEntries = 20_000;

/** What a store did not take; undefined: a deletion. */
type Waiting = Written | undefined;

interface Written {
  readonly value: Uint8Array;
  readonly options: PutOptions | undefined;
}

/**
 * A store whose failed writes are made up for as soon as it takes another one: a disk that was
 * full for a while must not cost those who come after a restart. Each failure is still the
 * caller's to see. What waits is read as if it were written.
 */
export function writtenLater(store: KeyValue, maxBytes = defaultMaxBytes): KeyValue {
  const { follow } = store;
  const waiting = new Map<string, Waiting>();
  let bytes = 0;
  let isFlushing = false;

  const forget = (key: string): void => {
    bytes -= waiting.get(key)?.value.byteLength ?? 0;
    waiting.delete(key);
  };
  const wait = (key: string, written: Waiting): void => {
    forget(key);
    waiting.set(key, written);
    bytes += written?.value.byteLength ?? 0;
    for (const oldest of waiting.keys()) {
      if (bytes <= maxBytes && waiting.size <= maxEntries) break;
      forget(oldest);
    }
  };
  const write = (key: string, written: Waiting): Promise<void> =>
    written === undefined ? store.delete(key) : store.put(key, written.value, written.options);

  const flush = async (): Promise<void> => {
    if (isFlushing) return;
    isFlushing = true;
    try {
      for (const [key, written] of waiting) {
        await write(key, written);
        // Unless a newer one came meanwhile.
        if (waiting.get(key) === written) forget(key);
      }
    } catch {
      // It waits on, for the next write that succeeds.
    } finally {
      isFlushing = false;
    }
  };
  const writeNow = async (key: string, written: Waiting): Promise<void> => {
    try {
      await write(key, written);
    } catch (error) {
      wait(key, written);
      throw error;
    }
    forget(key);
    if (waiting.size > 0) void flush();
  };

  return {
    get: async (key) => (waiting.has(key) ? waiting.get(key)?.value : store.get(key)),
    put: (key, value, options) => writeNow(key, { value, options }),
    delete: (key) => writeNow(key, undefined),
    keys: (prefix, limit) => store.keys(prefix, limit),
    entries: (prefix, limit) => store.entries(prefix, limit),
    ...(follow && {
      async follow(trail: Trail): Promise<OnTrail> {
        const found = await follow(trail);
        const values = new Map(found.values);
        for (const [key, written] of waiting) if (values.has(key)) values.set(key, written?.value);
        return { ...found, values };
      },
    }),
    close: () => store.close(),
  };
}
