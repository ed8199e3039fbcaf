/** What was used last, bounded by the bytes that it takes. */
export interface ByteLru<V> {
  get(key: string): V | undefined;
  /** A value that is larger than the whole bound is not kept. */
  put(key: string, value: V, bytes: number): void;
  delete(key: string): void;
}

/** What an entry takes besides its value: its key, its object, its place in the map. */
const overheadBytes = 512;

export function makeByteLru<V>(maxBytes: number): ByteLru<V> {
  const entries = new Map<string, { readonly value: V; readonly bytes: number }>();
  let totalBytes = 0;
  const remove = (key: string): void => {
    totalBytes -= entries.get(key)?.bytes ?? 0;
    entries.delete(key);
  };
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      // A map lists its keys as they were added: the last one added is the last one used.
      entries.delete(key);
      entries.set(key, entry);
      return entry.value;
    },
    put(key, value, valueBytes) {
      const bytes = valueBytes + overheadBytes;
      remove(key);
      if (bytes > maxBytes) return;
      entries.set(key, { value, bytes });
      totalBytes += bytes;
      for (const oldest of entries.keys()) {
        if (totalBytes <= maxBytes) return;
        remove(oldest);
      }
    },
    delete: remove,
  };
}
