/** A map of bounded weight that forgets the least recently used. */
export interface Recent<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
  delete(key: string): void;
}

/** `weightOf` gives a value's share of `maxWeight`; without it every value weighs 1. */
export function makeRecent<V>(
  maxWeight: number,
  weightOf: (value: V) => number = () => 1,
): Recent<V> {
  const entries = new Map<string, V>();
  let weight = 0;
  const remove = (key: string): void => {
    const value = entries.get(key);
    if (value === undefined) return;
    entries.delete(key);
    weight -= weightOf(value);
  };
  return {
    get(key) {
      const value = entries.get(key);
      if (value === undefined) return undefined;
      entries.delete(key);
      entries.set(key, value);
      return value;
    },
    set(key, value) {
      remove(key);
      entries.set(key, value);
      weight += weightOf(value);
      for (const oldest of entries.keys()) {
        if (weight <= maxWeight) break;
        remove(oldest);
      }
    },
    delete: remove,
  };
}
