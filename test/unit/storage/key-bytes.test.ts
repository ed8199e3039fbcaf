import t from 'tap';
import { toKeyBytes } from '../../../src/storage/key-bytes.ts';
import { maxKeyBytes } from '../../../src/storage/key-value.ts';
import { StorageError } from '../../../src/storage/storage-error.ts';

t.test('a key becomes its UTF-8 bytes', async (t) => {
  t.strictSame(toKeyBytes('a/é'), Buffer.from('612fc3a9', 'hex'));
  t.equal(toKeyBytes('k'.repeat(maxKeyBytes)).byteLength, maxKeyBytes);
});

t.test('length is counted in bytes', async (t) => {
  t.throws(() => toKeyBytes(`é${'k'.repeat(maxKeyBytes - 1)}`), StorageError);
  t.throws(() => toKeyBytes(''), StorageError);
  t.throws(() => toKeyBytes('\udc00'), StorageError);
});
