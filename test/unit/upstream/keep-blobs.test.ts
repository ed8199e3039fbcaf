import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { parseRepositoryPath, type RepositoryPath } from '../../../src/oci/repository.ts';
import type { BlobContent, BlobWish, ContentSource } from '../../../src/upstream/content-source.ts';
import { keepBlobs } from '../../../src/upstream/keep-blobs.ts';
import { contentSourceContract } from '../../contract/content-source.ts';
import { makeContent } from '../../contract/blob-store.ts';
import { startFakeRegistry } from '../../support/fake-registry.ts';
import { makeFaultyFiles } from '../../support/faulty-files.ts';
import { openFillKit, stored, valueOf } from '../../support/fill-kit.ts';
import { makeMemorySource } from '../../support/memory-source.ts';
import { openRemote } from '../../support/remote-kit.ts';

const path = parseRepositoryPath('app') as RepositoryPath;
const { signal } = new AbortController();
const content = makeContent(700_000);
const { bytes, name } = content;
const { digest, size } = name;

async function open(t: Test, { sent = bytes, files = makeFaultyFiles() } = {}) {
  const kit = await openFillKit(t, { content, files });
  const wishes: (BlobWish | undefined)[] = [];
  const upstream: ContentSource = {
    ...makeMemorySource(),
    async openBlob(_path, _digest, _signal, wish) {
      wishes.push(wish);
      return { size: sent.length, stream: Readable.from([sent]) };
    },
    statBlob: async () => ({ size: 5 }),
  };
  const source = keepBlobs(upstream, 'reg', kit);
  const openBlob = async (wish?: BlobWish): Promise<BlobContent> =>
    (await source.openBlob(path, digest, signal, wish))!;
  const tier = (name: string) => valueOf(kit.metrics, `assay_blob_reads_total{tier="${name}"}`);
  return { ...kit, source, wishes, openBlob, tier, files };
}

t.test('contract', async (t) => {
  contentSourceContract(t, async (t, { entries }) => {
    const registry = await startFakeRegistry();
    t.teardown(() => registry.close());
    for (const { path, artifact, tag } of entries) registry.put(path, artifact, tag);
    const { source } = openRemote(t, registry.url);
    return keepBlobs(source, 'reg', await openFillKit(t));
  });
});

t.test(
  'what is asked for with its size is fetched once, and then comes from the store',
  async (t) => {
    const kit = await open(t);
    const first = await kit.openBlob({ size });
    t.match(first, { size, proof: 'withheld', range: undefined });
    t.ok((await buffer(first.stream)).equals(bytes));
    await stored(kit);
    await kit.fills.close();
    const second = await kit.openBlob({ size });
    t.match(second, { size, proof: 'stored', range: undefined });
    t.ok((await buffer(second.stream)).equals(bytes));
    t.equal(kit.wishes.length, 1);
    t.strictSame([await kit.tier('fill'), await kit.tier('stored')], [1, 1]);
  },
);

t.test('of what is stored any range is given', async (t) => {
  const kit = await open(t);
  await buffer((await kit.openBlob({ size })).stream);
  await stored(kit);
  await kit.fills.close();
  for (const range of [{ first: 5, last: 5 }, { first: 0, last: 99 }, { first: 699_000 }]) {
    const blob = await kit.openBlob({ size, range });
    t.match(blob, { size, proof: 'stored', range });
    const { first, last = size - 1 } = range;
    t.ok((await buffer(blob.stream)).equals(bytes.subarray(first, last + 1)));
  }
});

t.test('without a size nothing is kept, and nothing looked at', async (t) => {
  const kit = await open(t);
  for (let times = 0; times < 2; times += 1) {
    const blob = await kit.openBlob();
    t.equal(blob.proof, undefined);
    t.ok((await buffer(blob.stream)).equals(bytes));
  }
  t.equal(kit.wishes.length, 2);
  t.equal(await kit.store.stat(digest), undefined);
});

t.test('of another size than asked for, what is stored is not it', async (t) => {
  const kit = await open(t);
  await buffer((await kit.openBlob({ size })).stream);
  await stored(kit);
  await t.rejects(kit.openBlob({ size: size - 1 }), { code: 'CONTENT_MISMATCH' });
  t.equal(await valueOf(kit.metrics, 'assay_content_mismatch_total{upstream="reg"}'), 1);
  t.ok(await kit.store.stat(digest), 'and stays');
});

t.test('wrong bytes are counted for the upstream that sent them', async (t) => {
  const kit = await open(t, { sent: Buffer.alloc(size) });
  await t.rejects(buffer((await kit.openBlob({ size })).stream), { code: 'CONTENT_MISMATCH' });
  t.equal(await valueOf(kit.metrics, 'assay_content_mismatch_total{upstream="reg"}'), 1);
});

t.test('with a store that can not be read or written, upstream is passed on', async (t) => {
  const files = makeFaultyFiles();
  const kit = await open(t, { files });
  files.fail('open', /./, 'EIO');
  const range = { first: 5, last: 9 };
  const first = await kit.openBlob({ size, range });
  t.match(first, { size, proof: 'withheld', range: undefined }, 'past the disk');
  t.ok((await buffer(first.stream)).equals(bytes));
  while (kit.fills.isRunning(name, { name: 'reg' })) await new Promise(setImmediate);
  kit.wishes.length = 0;
  const blob = await kit.openBlob({ size, range });
  t.match(blob, { size, proof: undefined, range: undefined }, 'unverified, and all of it');
  t.ok((await buffer(blob.stream)).equals(bytes));
  t.strictSame(kit.wishes, [{ size }]);
  t.equal(await kit.tier('upstream'), 1);
});

t.test('whether upstream has a blob only upstream says', async (t) => {
  const kit = await open(t);
  await buffer((await kit.openBlob({ size })).stream);
  await stored(kit);
  t.strictSame(await kit.source.statBlob(path, digest, signal), { size: 5 });
});

t.test('what is being filled is not looked for in the store', async (t) => {
  const kit = await open(t);
  let opens = 0;
  const store = {
    ...kit.store,
    open: (...of: Parameters<typeof kit.store.open>) => ((opens += 1), kit.store.open(...of)),
  };
  const upstream: ContentSource = {
    ...makeMemorySource(),
    openBlob: async () => ({ size, stream: new Readable({ read() {} }) }),
  };
  const source = keepBlobs(upstream, 'reg', { store, fills: kit.fills });
  const streams = [];
  for (let count = 0; count < 3; count += 1) {
    streams.push((await source.openBlob(path, digest, signal, { size }))!.stream);
  }
  t.equal(opens, 1);
  for (const stream of streams) stream.on('error', () => undefined).destroy();
});

t.test('what the store has in memory is at hand, and counts as a read', async (t) => {
  const kit = await open(t);
  const store = { ...kit.store, atHand: () => bytes };
  const source = keepBlobs(makeMemorySource(), 'reg', { ...kit, store });
  t.equal(source.blobAtHand?.(path, name), bytes);
  t.equal(await kit.tier('stored'), 1);
  t.equal(kit.source.blobAtHand?.(path, name), undefined, 'a store without memory has none');
});
