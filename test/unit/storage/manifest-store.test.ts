import t from 'tap';
import { digestOf } from '../../../src/oci/digest.ts';
import type { KeyValue } from '../../../src/storage/key-value.ts';
import { type KeptKey, makeManifestStore } from '../../../src/storage/manifest-store.ts';
import { makeMemoryKeyValue } from '../../../src/storage/memory-key-value.ts';

const bytes = Buffer.from('{"a":1}');
const key: KeptKey = { kind: 'manifest', place: 'hub/team/app', digest: digestOf(bytes) };
const content = { bytes, contentType: 'application/vnd.oci.image.manifest.v1+json' };

/** Nothing stays in memory: each `get` reads the store. */
const cold = { maxMemoryBytes: 0 };

async function onlyEntry(values: KeyValue): Promise<[string, Uint8Array]> {
  const [name = ''] = await values.keys('', 10);
  return [name, (await values.get(name)) ?? new Uint8Array()];
}

t.test(
  'content comes back with its bytes and its type, from memory and from the store',
  async (t) => {
    const values = makeMemoryKeyValue();
    const warm = makeManifestStore(values);
    await warm.put(key, content);
    for (const store of [warm, makeManifestStore(values, cold), makeManifestStore(values)]) {
      const found = await store.get(key);
      t.strictSame(Buffer.from(found?.bytes ?? []), bytes);
      t.equal(found?.contentType, content.contentType);
    }
  },
);

t.test('content without a type comes back without one', async (t) => {
  const values = makeMemoryKeyValue();
  const store = makeManifestStore(values, cold);
  await store.put(key, { bytes, contentType: undefined });
  const found = await store.get(key);
  t.equal(found?.contentType, undefined);
  t.strictSame(Buffer.from(found?.bytes ?? []), bytes);
});

t.test('another kind, place or digest is another key', async (t) => {
  const store = makeManifestStore(makeMemoryKeyValue());
  await store.put(key, content);
  const others: readonly KeptKey[] = [
    { ...key, kind: 'blob' },
    { ...key, place: 'hub/team/other' },
    { ...key, digest: digestOf(Buffer.from('other')) },
  ];
  for (const each of others) t.equal(await store.get(each), undefined);
});

t.test('stored bytes that were changed count as absent, and are deleted', async (t) => {
  const values = makeMemoryKeyValue();
  await makeManifestStore(values).put(key, content);
  const [name, stored] = await onlyEntry(values);
  const changed = Buffer.from(stored);
  changed[changed.length - 1] = 0;
  await values.put(name, changed);
  t.equal(await makeManifestStore(values).get(key), undefined);
  t.strictSame(await values.keys('', 10), []);
});

t.test('a stored value that is cut short counts as absent', async (t) => {
  for (const cut of [0, 1, 5]) {
    const values = makeMemoryKeyValue();
    await makeManifestStore(values).put(key, content);
    const [name, stored] = await onlyEntry(values);
    await values.put(name, stored.subarray(0, cut));
    t.equal(await makeManifestStore(values).get(key), undefined, `${cut} bytes left`);
  }
});
