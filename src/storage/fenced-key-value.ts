import type { KeyValue } from './key-value.ts';
import { StorageError } from './storage-error.ts';

/** Why nothing may be written at the moment; undefined: it may. */
export type Fence = () => string | undefined;

/** A store whose writes reject with a `StorageError` while the fence is up. */
export function fencedKeyValue(store: KeyValue, fence: Fence): KeyValue {
  const guarded = async (write: () => Promise<void>): Promise<void> => {
    const because = fence();
    if (because === undefined) return write();
    const message = `nothing is written to the shared state: ${because}`;
    throw new StorageError('STORAGE_FAILED', message);
  };
  return {
    ...store,
    put: (key, value, options) => guarded(() => store.put(key, value, options)),
    delete: (key) => guarded(() => store.delete(key)),
  };
}
