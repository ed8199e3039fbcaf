/** A map of bounded weight that forgets what was not used for longest, or nearly so. */
export interface Recent<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
  delete(key: string): void;
}

interface Entry<V> {
  readonly value: V;
  readonly weight: number;
  /** Since it was last considered for removal. */
  isUsed: boolean;
}

/**
 * `weightOf` gives a value's share of `maxWeight`; without it every value weighs 1. What was used
 * gets a second chance in place of being moved at each use, since uses are many and removals few.
 */
export function makeRecent<V>(
  maxWeight: number,
  weightOf: (value: V) => number = () => 1,
): Recent<V> {
  const entries = new Map<string, Entry<V>>();
  let weight = 0;
  const remove = (key: string): void => {
    const entry = entries.get(key);
    if (entry === undefined) return;
    entries.delete(key);
    weight -= entry.weight;
  };
  const removeUnused = (newest: string): void => {
    // What is put back comes again at the end of this same loop, without its chance.
    for (const [key, entry] of entries) {
      if (weight <= maxWeight) return;
      entries.delete(key);
      const isKept = entry.isUsed || (key === newest && entries.size > 0);
      if (isKept) entries.set(key, { ...entry, isUsed: false });
      else weight -= entry.weight;
    }
  };
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entry.isUsed = true;
      return entry.value;
    },
    set(key, value) {
      remove(key);
      const entry = { value, weight: weightOf(value), isUsed: false };
      entries.set(key, entry);
      weight += entry.weight;
      removeUnused(key);
    },
    delete: remove,
  };
}
