import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import t from 'tap';
import { digestOf } from '../../../src/oci/digest.ts';
import { parseTag, type Tag } from '../../../src/oci/reference.ts';
import { parseRepositoryPath, type RepositoryPath } from '../../../src/oci/repository.ts';
import { makeManifestStore, type ManifestStore } from '../../../src/storage/manifest-store.ts';
import { makeMemoryKeyValue } from '../../../src/storage/memory-key-value.ts';
import { StorageError } from '../../../src/storage/storage-error.ts';
import type { ContentSource } from '../../../src/upstream/content-source.ts';
import { keepManifests } from '../../../src/upstream/pull-through.ts';
import { UpstreamError } from '../../../src/upstream/upstream-error.ts';
import { contentSourceContract } from '../../contract/content-source.ts';
import { buildBlob, buildImage, buildManifest, fillerBytes } from '../../support/build-image.ts';
import { startFakeRegistry } from '../../support/fake-registry.ts';
import { makeMemorySource } from '../../support/memory-source.ts';
import { openRemote } from '../../support/remote-kit.ts';
import { makeKeptLog } from '../../support/silence.ts';

const app = parseRepositoryPath('app') as RepositoryPath;
const other = parseRepositoryPath('other') as RepositoryPath;
const v1 = parseTag('v1') as Tag;
const { signal } = new AbortController();
const down = new UpstreamError('UPSTREAM_UNREACHABLE', 'down');

const image = buildImage({ name: 'kept' });
const { digest } = image.descriptor;
const small = buildBlob('application/jose+json', 'a small envelope');
const holder = buildManifest({ layers: [small] });

function makeKept(
  store: ManifestStore = makeManifestStore(makeMemoryKeyValue()),
  toll?: () => Promise<void> | undefined,
) {
  const source = makeMemorySource();
  source.put(image, 'v1');
  source.put(holder);
  const log = makeKeptLog();
  /** The memory source states no sizes. */
  const sized: ContentSource = {
    ...source,
    async openBlob(path, wanted, each) {
      const content = await source.openBlob(path, wanted, each);
      const stat = await source.statBlob(path, wanted, each);
      return content && { ...content, size: stat?.size };
    },
  };
  const open = () => keepManifests(sized, store, { upstream: 'hub', toll, log });
  return { source, kept: open(), open, log };
}

async function bytesOf(source: ContentSource, wanted: typeof digest): Promise<Buffer | undefined> {
  const blob = await source.openBlob(app, wanted, signal);
  return blob && buffer(blob.stream);
}

t.test('a source that keeps keeps the contract of content sources', async (t) => {
  contentSourceContract(t, async (t, { entries }) => {
    const registry = await startFakeRegistry();
    t.teardown(() => registry.close());
    for (const { path, artifact, tag } of entries) registry.put(path, artifact, tag);
    const { source } = openRemote(t, registry.url);
    const store = makeManifestStore(makeMemoryKeyValue());
    return keepManifests(source, store, { upstream: 'hub' });
  });
});

t.test('a manifest that came by tag needs no upstream by digest', async (t) => {
  const { source, kept } = makeKept();
  await kept.fetchManifest(app, { tag: v1 }, signal);
  source.fail('fetchManifest', down);
  const again = await kept.fetchManifest(app, { digest }, signal);
  t.strictSame(Buffer.from(again?.bytes ?? []), Buffer.from(image.bytes));
  t.equal(again?.digest, digest);
  t.equal(again?.contentType, image.descriptor.mediaType);
});

t.test('all who ask for a manifest at the same time share one request', async (t) => {
  const { source, kept } = makeKept();
  const asked = Array.from({ length: 50 }, () => kept.fetchManifest(app, { digest }, signal));
  for (const content of await Promise.all(asked)) t.equal(content?.digest, digest);
  t.strictSame(source.calls, [`fetchManifest ${digest}`]);
});

t.test(
  'who asks upstream pays for it, before others can join in; what is kept is free',
  async (t) => {
    const used = new Error('used up');
    let toll: Promise<void> | undefined;
    const { source, open } = makeKept(undefined, () => toll);
    const kept = open();
    toll = Promise.reject(used);
    await t.rejects(kept.fetchManifest(app, { digest }, signal), used);
    t.strictSame(source.calls, []);
    toll = undefined;
    await kept.fetchManifest(app, { digest }, signal);
    toll = Promise.reject(used);
    toll.catch(() => undefined);
    t.equal((await kept.fetchManifest(app, { digest }, signal))?.digest, digest);
  },
);

t.test('a manifest that upstream deleted is still there', async (t) => {
  const { source, kept } = makeKept();
  await kept.fetchManifest(app, { digest }, signal);
  source.remove(digest);
  t.ok(await kept.fetchManifest(app, { digest }, signal));
});

t.test('a tag is always asked of upstream', async (t) => {
  const { source, kept } = makeKept();
  await kept.fetchManifest(app, { tag: v1 }, signal);
  source.fail('fetchManifest', down);
  await t.rejects(kept.fetchManifest(app, { tag: v1 }, signal), down);
});

t.test('what one repository has is not given to another', async (t) => {
  const { kept } = makeKept();
  await kept.fetchManifest(app, { digest }, signal);
  await bytesOf(kept, small.descriptor.digest);
  t.equal(await kept.fetchManifest(other, { digest }, signal), undefined);
  t.equal(await kept.openBlob(other, small.descriptor.digest, signal), undefined);
});

t.test('what is kept survives a start', async (t) => {
  const values = makeMemoryKeyValue();
  const { source, kept } = makeKept(makeManifestStore(values));
  await kept.fetchManifest(app, { digest }, signal);
  source.fail('fetchManifest', down);
  const again = keepManifests(source, makeManifestStore(values), { upstream: 'hub' });
  t.equal((await again.fetchManifest(app, { digest }, signal))?.digest, digest);
});

t.test('a small blob is kept once it was read to its end', async (t) => {
  const { source, kept } = makeKept();
  t.strictSame(await bytesOf(kept, small.descriptor.digest), Buffer.from(small.bytes));
  source.fail('openBlob', down);
  source.fail('statBlob', down);
  t.strictSame(await bytesOf(kept, small.descriptor.digest), Buffer.from(small.bytes));
  t.equal((await kept.statBlob(app, small.descriptor.digest, signal))?.size, 16);
});

t.test('a blob of other bytes passes to its reader, who checks, and is not kept', async (t) => {
  const { source, kept } = makeKept();
  source.corrupt(small.descriptor.digest, Buffer.from('a small envelopE'));
  t.equal(String(await bytesOf(kept, small.descriptor.digest)), 'a small envelopE');
  source.fail('openBlob', down);
  await t.rejects(kept.openBlob(app, small.descriptor.digest, signal), down);
});

t.test('a manifest of other bytes is not kept', async (t) => {
  const { source, kept } = makeKept();
  source.corrupt(digest, Buffer.from('{}'));
  await kept.fetchManifest(app, { digest }, signal);
  source.fail('fetchManifest', down);
  await t.rejects(kept.fetchManifest(app, { digest }, signal), down);
});

t.test('a manifest whose Content-Type does not fit is passed on, and is not kept', async (t) => {
  const { source } = makeKept();
  let contentType: string | undefined = 'text/plain';
  const mistyped: ContentSource = {
    ...source,
    async fetchManifest(...asked) {
      const content = await source.fetchManifest(...asked);
      return content && { ...content, contentType };
    },
  };
  const store = makeManifestStore(makeMemoryKeyValue());
  const kept = keepManifests(mistyped, store, { upstream: 'hub' });
  t.equal((await kept.fetchManifest(app, { digest }, signal))?.contentType, 'text/plain');
  contentType = image.descriptor.mediaType;
  t.equal((await kept.fetchManifest(app, { digest }, signal))?.contentType, contentType);
  source.fail('fetchManifest', down);
  t.equal((await kept.fetchManifest(app, { digest }, signal))?.contentType, contentType);
});

t.test('a manifest that its own bytes make malformed is kept, and fetched no more', async (t) => {
  const { source, kept } = makeKept();
  const malformed = buildImage({ members: { schemaVersion: 1 } });
  source.put(malformed);
  const asked = { digest: malformed.descriptor.digest };
  const first = await kept.fetchManifest(app, asked, signal);
  source.fail('fetchManifest', down);
  t.same(await kept.fetchManifest(app, asked, signal), first);
});

t.test('a blob above the bound is not kept', async (t) => {
  const large = buildBlob('application/x', fillerBytes('large', 1024 * 1024 + 1));
  const { source, kept } = makeKept();
  source.put(buildManifest({ layers: [large] }));
  await bytesOf(kept, large.descriptor.digest);
  source.fail('openBlob', down);
  await t.rejects(kept.openBlob(app, large.descriptor.digest, signal), down);
});

t.test('a blob that says more than it stated is not kept and not collected', async (t) => {
  const wanted = digestOf(Buffer.alloc(2000, 1));
  const source: ContentSource = {
    ...makeMemorySource(),
    openBlob: () =>
      Promise.resolve({
        size: 1000,
        stream: Readable.from([Buffer.alloc(1000, 1), Buffer.alloc(1000, 1)]),
      }),
  };
  const store = makeManifestStore(makeMemoryKeyValue());
  const kept = keepManifests(source, store, { upstream: 'hub' });
  t.equal((await bytesOf(kept, wanted))?.length, 2000);
  const key = { kind: 'blob', place: 'hub/app', digest: wanted } as const;
  t.equal(await store.get(key), undefined);
});

t.test('a blob that breaks off breaks off, and is not kept', async (t) => {
  const broken = new Error('connection lost');
  const source: ContentSource = {
    ...makeMemorySource(),
    openBlob: () =>
      Promise.resolve({
        size: small.bytes.byteLength,
        stream: Readable.from(
          (function* () {
            yield Buffer.from('a small');
            throw broken;
          })(),
        ),
      }),
  };
  const store = makeManifestStore(makeMemoryKeyValue());
  const kept = keepManifests(source, store, { upstream: 'hub' });
  await t.rejects(bytesOf(kept, small.descriptor.digest), broken);
  const key = { kind: 'blob', place: 'hub/app', digest: small.descriptor.digest } as const;
  t.equal(await store.get(key), undefined);
});

t.test('a reader that leaves lets go of upstream', async (t) => {
  const stream = new Readable({ read: () => undefined });
  const source: ContentSource = {
    ...makeMemorySource(),
    openBlob: () => Promise.resolve({ size: 10, stream }),
  };
  const store = makeManifestStore(makeMemoryKeyValue());
  const kept = keepManifests(source, store, { upstream: 'hub' });
  const blob = await kept.openBlob(app, digest, signal);
  const closed = new Promise((resolve) => stream.once('close', resolve));
  blob?.stream.on('error', () => undefined).destroy();
  await closed;
  t.ok(stream.destroyed);
});

t.test('an empty blob is kept', async (t) => {
  const empty = buildBlob('application/x', '');
  const { source, kept } = makeKept();
  source.put(buildManifest({ layers: [empty] }));
  t.equal((await bytesOf(kept, empty.descriptor.digest))?.length, 0);
  source.fail('openBlob', down);
  t.equal((await bytesOf(kept, empty.descriptor.digest))?.length, 0);
});

t.test('a store that fails costs nothing but the keeping', async (t) => {
  const failure = new StorageError('STORAGE_FAILED', 'the disk is full');
  const { kept, log } = makeKept({
    get: () => Promise.reject(failure),
    put: () => Promise.reject(failure),
  });
  t.equal((await kept.fetchManifest(app, { digest }, signal))?.digest, digest);
  t.strictSame(await bytesOf(kept, small.descriptor.digest), Buffer.from(small.bytes));
  t.strictSame(
    log.lines.map(({ message }) => message),
    [
      'kept content can not be read',
      'content can not be kept',
      'kept content can not be read',
      'content can not be kept',
    ],
  );
});

t.test('everything else is passed on', async (t) => {
  const { kept, source } = makeKept();
  t.equal(await kept.resolveTag(app, v1, signal), digest);
  t.strictSame(await kept.listTags(app, { limit: 5 }, signal), { tags: ['v1'], more: false });
  t.strictSame(await kept.listReferrers(app, digest, signal), { found: [] });
  await kept.close();
  t.strictSame(
    source.calls.map((call) => call.split(' ')[0]),
    ['resolveTag', 'listTags', 'listReferrers'],
  );
});
