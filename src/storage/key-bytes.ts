import { quoted } from '../kernel/quoted.ts';
import { maxKeyBytes } from './key-value.ts';
import { StorageError } from './storage-error.ts';

/** The bytes of a key, which order keys everywhere. Refuses what one of the stores could not keep. */
export function toKeyBytes(key: string): Buffer {
  // A lone surrogate has no UTF-8: two such keys would become one.
  if (key === '' || !key.isWellFormed()) {
    throw new StorageError('STORAGE_FAILED', `the key ${quoted(key)} is empty or no Unicode text`);
  }
  const bytes = Buffer.from(key);
  if (bytes.byteLength > maxKeyBytes) {
    throw new StorageError(
      'STORAGE_FAILED',
      `the key ${quoted(key)} is longer than ${maxKeyBytes} bytes`,
    );
  }
  return bytes;
}
