import type { KeyValue } from './key-value.ts';
import { StorageError } from './storage-error.ts';

/** Why nothing may be written at the moment; undefined: it may. */
export type Fence = () => string | undefined;

/**
 * A store that takes no writes while the fence is up. `drop`: they are as if made and lost, for
 * what is a hint. `refuse`: they reject with a `StorageError`, for what must not be lost in silence.
 */
export function fencedKeyValue(store: KeyValue, fence: Fence, how: 'drop' | 'refuse'): KeyValue {
  const guarded = async (write: () => Promise<void>): Promise<void> => {
    const because = fence();
    if (because === undefined) return write();
    if (how === 'refuse') {
      throw new StorageError(
        'STORAGE_FAILED',
        `nothing is written to the shared state: ${because}`,
      );
    }
  };
  return {
    ...store,
    put: (key, value, options) => guarded(() => store.put(key, value, options)),
    delete: (key) => guarded(() => store.delete(key)),
  };
}
