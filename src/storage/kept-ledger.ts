import type { KeyValue } from './key-value.ts';

/** Values of a key-value store, bounded in number and in bytes together. */
export interface KeptLedger {
  get(name: string): Promise<Uint8Array | undefined>;
  /** Deletes what was not used for longest until there is room. */
  put(name: string, value: Uint8Array): Promise<void>;
  delete(name: string): Promise<void>;
}

export interface LedgerBounds {
  readonly maxBytes: number;
  readonly maxEntries: number;
}

const prefix = 'kept/';

/**
 * The keys end with their value's size, so that after a start the sum is known from the keys
 * alone. They are listed at the first use; `name` must begin with `kept/`.
 */
export function makeKeptLedger(values: KeyValue, bounds: LedgerBounds): KeptLedger {
  const sizes = new Map<string, number>();
  let totalBytes = 0;
  let loading: Promise<void> | undefined;

  const load = async (): Promise<void> => {
    // Twice the bound: whoever lowers it gets rid of the surplus with the next writes.
    for (const key of await values.keys(prefix, 2 * bounds.maxEntries)) {
      const slash = key.lastIndexOf('/');
      const size = Number(key.slice(slash + 1));
      sizes.set(key.slice(0, slash), size);
      totalBytes += size;
    }
  };
  const loaded = (): Promise<void> => {
    loading ??= load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
  const remove = async (name: string): Promise<void> => {
    const size = sizes.get(name);
    if (size === undefined) return;
    sizes.delete(name);
    totalBytes -= size;
    await values.delete(keyOf(name, size));
  };

  return {
    async get(name) {
      await loaded();
      const size = sizes.get(name);
      if (size === undefined) return undefined;
      sizes.delete(name);
      sizes.set(name, size);
      const value = await values.get(keyOf(name, size));
      // Another process deleted it.
      if (value === undefined && sizes.delete(name)) totalBytes -= size;
      return value;
    },
    async put(name, value) {
      await loaded();
      const size = value.byteLength;
      if (size > bounds.maxBytes) return;
      if (sizes.get(name) !== size) await remove(name);
      if (sizes.has(name)) return;
      sizes.set(name, size);
      totalBytes += size;
      for (const oldest of sizes.keys()) {
        if (totalBytes <= bounds.maxBytes && sizes.size <= bounds.maxEntries) break;
        await remove(oldest);
      }
      await values.put(keyOf(name, size), value);
    },
    async delete(name) {
      await loaded();
      await remove(name);
    },
  };
}

function keyOf(name: string, size: number): string {
  return `${name}/${size}`;
}
