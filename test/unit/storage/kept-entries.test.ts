import t from 'tap';
import { digestOf } from '../../../src/oci/digest.ts';
import { listKept } from '../../../src/storage/kept-entries.ts';
import { makeManifestStore } from '../../../src/storage/manifest-store.ts';
import { makeMemoryKeyValue } from '../../../src/storage/memory-key-value.ts';

t.test('what a manifest store keeps is listed with digest and size', async (t) => {
  const values = makeMemoryKeyValue();
  const store = makeManifestStore(values);
  const bytes = Buffer.from('{}');
  const digest = digestOf(bytes);
  for (const kind of ['manifest', 'blob'] as const) {
    await store.put({ kind, place: 'reg:5000/a/b', digest }, { bytes, contentType: undefined });
  }
  const entries = await listKept(values);
  t.match(entries, [
    { digest, bytes: 3 },
    { digest, bytes: 3 },
  ]);
  for (const { key } of entries) await values.delete(key);
  t.equal(
    await makeManifestStore(values).get({ kind: 'blob', place: 'reg:5000/a/b', digest }),
    undefined,
  );
});

t.test('keys of others are no entries, and a damaged key has no digest', async (t) => {
  const values = makeMemoryKeyValue();
  for (const key of ['scrub', 'kept/blob/x/no-digest/7']) await values.put(key, Buffer.from('x'));
  t.strictSame(await listKept(values), [
    { key: 'kept/blob/x/no-digest/7', digest: undefined, bytes: 7 },
  ]);
});
