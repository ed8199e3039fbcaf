import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { digestOf, encodedOf, referrersTag } from '../../../src/oci/digest.ts';
import { parseTag, type Tag } from '../../../src/oci/reference.ts';
import { parseRepositoryPath, type RepositoryPath } from '../../../src/oci/repository.ts';
import { makeLayoutSource } from '../../../src/upstream/layout-source.ts';
import { contentSourceContract } from '../../contract/content-source.ts';
import { type Artifact, buildImage, buildSignatureManifest } from '../../support/build-image.ts';
import { failureOf } from '../../support/remote-kit.ts';
import { makeCountingMetrics } from '../../support/silence.ts';
import { fallbackIndexes, type LayoutEntry, writeLayout } from '../../support/write-layout.ts';

const app = parseRepositoryPath('app') as RepositoryPath;
const other = parseRepositoryPath('other') as RepositoryPath;
const v1 = parseTag('v1') as Tag;
const { signal } = new AbortController();

const image = buildImage({ name: 'layout' });
const signature = buildSignatureManifest({
  envelope: Buffer.from('envelope'),
  mediaType: 'application/jose+json',
  of: image.descriptor,
});

function layoutOf(t: Test, entries: readonly LayoutEntry[]): string {
  const folder = t.testdir();
  writeLayout(folder, entries);
  return folder;
}

function blobFile(folder: string, { descriptor }: Pick<Artifact, 'descriptor'>): string {
  return join(folder, 'blobs', 'sha256', encodedOf(descriptor.digest));
}

t.test('a layout keeps the contract of content sources', async (t) => {
  contentSourceContract(t, async (t, { entries }) => {
    const named = entries.map(({ path, artifact, tag }) => ({
      artifact,
      ...(tag !== undefined && { tag: `${path}:${tag}` }),
    }));
    return makeLayoutSource({ name: 'demo', folder: layoutOf(t, named) });
  });
});

t.test('a layout with fallback indexes keeps the contract of content sources', async (t) => {
  contentSourceContract(t, async (t, { entries }) => {
    const named = entries.map(({ path, artifact, tag }) => ({
      artifact,
      ...(tag !== undefined && { tag: `${path}:${tag}` }),
    }));
    const all = [...named, ...fallbackIndexes(entries.map(({ artifact }) => artifact))];
    return makeLayoutSource({ name: 'demo', folder: layoutOf(t, all) });
  });
});

t.test('a plain ref name belongs to the configured repository, and to none without', async (t) => {
  const folder = layoutOf(t, [{ artifact: image, tag: 'v1' }]);
  const named = makeLayoutSource({ name: 'demo', folder, repository: 'app' });
  t.equal(await named.resolveTag(app, v1, signal), image.descriptor.digest);
  t.equal(await named.resolveTag(other, v1, signal), undefined);
  const unnamed = makeLayoutSource({ name: 'demo', folder });
  t.equal(await unnamed.resolveTag(app, v1, signal), undefined);
});

t.test('a repository that is no path is refused at once', async (t) => {
  const make = () => makeLayoutSource({ name: 'demo', folder: '.', repository: '../x' });
  t.throws(make, TypeError);
});

t.test('referrers under the fallback tag alone are found', async (t) => {
  const [fallback] = fallbackIndexes([signature]);
  const entries = [
    { artifact: image, tag: 'app:v1' },
    { artifact: (fallback as LayoutEntry).artifact, tag: `app:${fallback?.tag ?? ''}` },
  ];
  const source = makeLayoutSource({ name: 'demo', folder: layoutOf(t, entries) });
  const { found } = await source.listReferrers(app, image.descriptor.digest, signal);
  t.strictSame(
    found.map(({ digest }) => digest),
    [signature.descriptor.digest],
  );
});

t.test("cosign's tags without a repository belong to every repository", async (t) => {
  const tagOf = (kind: string): Tag => `${referrersTag(image.descriptor.digest)}${kind}` as Tag;
  const sbom = buildImage({ name: 'sbom' });
  const folder = layoutOf(t, [
    { artifact: image, tag: 'app:v1' },
    { artifact: signature, tag: tagOf('.sig') },
    { artifact: sbom, tag: 'latest' },
  ]);
  const source = makeLayoutSource({ name: 'demo', folder });
  const found = await source.fetchManifest(app, { tag: tagOf('.sig') }, signal);
  t.equal(found?.digest, signature.descriptor.digest);
  t.equal(await source.resolveTag(app, tagOf('.sig'), signal), signature.descriptor.digest);
  t.equal(await source.resolveTag(app, tagOf('.att'), signal), undefined);
  t.equal(await source.resolveTag(app, 'latest' as Tag, signal), undefined, 'other names do not');
  t.equal(await source.resolveTag(other, tagOf('.sig'), signal), undefined, 'of those there are');
});

t.test('index.json is read again when it changes', async (t) => {
  const folder = layoutOf(t, [{ artifact: image, tag: 'app:v1' }]);
  const source = makeLayoutSource({ name: 'demo', folder });
  t.strictSame(await source.listReferrers(app, image.descriptor.digest, signal), { found: [] });
  writeLayout(folder, [{ artifact: image, tag: 'app:v2' }, { artifact: signature }]);
  t.equal(await source.resolveTag(app, v1, signal), undefined);
  t.equal((await source.listReferrers(app, image.descriptor.digest, signal)).found.length, 1);
});

t.test('a manifest with other bytes than its name is an error, and counted', async (t) => {
  const folder = layoutOf(t, [{ artifact: image, tag: 'app:v1' }]);
  appendFileSync(blobFile(folder, image), ' ');
  const metrics = makeCountingMetrics();
  const source = makeLayoutSource({ name: 'demo', folder }, { metrics });
  const error = await failureOf(t, source.fetchManifest(app, { tag: v1 }, signal));
  t.equal(error.code, 'UPSTREAM_MISBEHAVED');
  t.match(error.message, /^manifest app:v1 from upstream demo: /);
  t.equal(metrics.counted('assay_content_mismatch_total', { upstream: 'demo' }), 1);
});

t.test('a listed manifest whose file is gone is undefined', async (t) => {
  const folder = layoutOf(t, [{ artifact: image, tag: 'app:v1' }]);
  rmSync(blobFile(folder, image));
  const source = makeLayoutSource({ name: 'demo', folder });
  t.equal(await source.fetchManifest(app, { tag: v1 }, signal), undefined);
});

t.test('a file that is larger than any manifest is none', async (t) => {
  const folder = layoutOf(t, [{ artifact: image, tag: 'app:v1' }]);
  const bytes = Buffer.alloc(4 * 1024 * 1024 + 1, 32);
  const digest = digestOf(bytes);
  writeFileSync(blobFile(folder, { descriptor: { ...image.descriptor, digest } }), bytes);
  const source = makeLayoutSource({ name: 'demo', folder });
  const error = await failureOf(t, source.fetchManifest(app, { digest }, signal));
  t.equal(error.code, 'UPSTREAM_TOO_LARGE');
});

t.test('a link that leads out of the folder is not followed', async (t) => {
  const outside = t.testdir({ layout: {}, secret: 'not for clients' });
  const folder = join(outside, 'layout');
  writeLayout(folder, [{ artifact: image, tag: 'app:v1' }]);
  const digest = digestOf(Buffer.from('not for clients'));
  const file = blobFile(folder, { descriptor: { ...image.descriptor, digest } });
  symlinkSync(join(outside, 'secret'), file);
  const source = makeLayoutSource({ name: 'demo', folder });
  const calls: readonly (() => Promise<unknown>)[] = [
    () => source.openBlob(app, digest, signal),
    () => source.statBlob(app, digest, signal),
    () => source.fetchManifest(app, { digest }, signal),
  ];
  for (const call of calls) t.equal((await failureOf(t, call())).code, 'UPSTREAM_LEADS_ASTRAY');
});

t.test('a folder of blobs that is a link out of the layout is not followed', async (t) => {
  const outside = t.testdir({ layout: {} });
  const folder = join(outside, 'layout');
  writeLayout(folder, [{ artifact: image, tag: 'app:v1' }]);
  renameSync(join(folder, 'blobs'), join(outside, 'blobs'));
  symlinkSync(join(outside, 'blobs'), join(folder, 'blobs'));
  const source = makeLayoutSource({ name: 'demo', folder });
  const error = await failureOf(t, source.fetchManifest(app, { tag: v1 }, signal));
  t.equal(error.code, 'UPSTREAM_LEADS_ASTRAY');
});

t.test('a link inside of the folder is followed', async (t) => {
  const folder = layoutOf(t, [{ artifact: image, tag: 'app:v1' }]);
  renameSync(blobFile(folder, image), join(folder, 'moved'));
  symlinkSync(join(folder, 'moved'), blobFile(folder, image));
  const source = makeLayoutSource({ name: 'demo', folder });
  const manifest = await source.fetchManifest(app, { tag: v1 }, signal);
  t.equal(manifest?.digest, image.descriptor.digest);
});

t.test('a folder in the place of a blob is an error', async (t) => {
  const folder = layoutOf(t, [{ artifact: image, tag: 'app:v1' }]);
  rmSync(blobFile(folder, image));
  mkdirSync(blobFile(folder, image));
  const source = makeLayoutSource({ name: 'demo', folder });
  const error = await failureOf(t, source.openBlob(app, image.descriptor.digest, signal));
  t.equal(error.code, 'UPSTREAM_MISBEHAVED');
});

const badIndexes: Readonly<Record<string, string>> = {
  'is not JSON': '{',
  'has a name twice': '{"schemaVersion":2,"manifests":[],"manifests":[]}',
  'is an image manifest': Buffer.from(image.bytes).toString(),
  'has no schemaVersion': '{"manifests":[]}',
  'gives a tag to two manifests': JSON.stringify({
    schemaVersion: 2,
    manifests: [image, signature].map(({ descriptor }) => ({
      ...descriptor,
      annotations: { 'org.opencontainers.image.ref.name': 'app:v1' },
    })),
  }),
};

for (const [what, text] of Object.entries(badIndexes)) {
  t.test(`an index.json that ${what} is an error`, async (t) => {
    const folder = t.testdir({ 'index.json': text });
    const source = makeLayoutSource({ name: 'demo', folder });
    const error = await failureOf(t, source.resolveTag(app, v1, signal));
    t.equal(error.code, 'UPSTREAM_MISBEHAVED');
    t.match(error.message, /index\.json/);
  });
}

t.test('a folder that is no layout is unreachable, never empty', async (t) => {
  const source = makeLayoutSource({ name: 'demo', folder: join(t.testdir(), 'none') });
  const error = await failureOf(t, source.listReferrers(app, image.descriptor.digest, signal));
  t.equal(error.code, 'UPSTREAM_UNREACHABLE');
});

t.test('a blob that is given up while it is read ends', async (t) => {
  const folder = layoutOf(t, [{ artifact: image, tag: 'app:v1' }]);
  const source = makeLayoutSource({ name: 'demo', folder });
  const client = new AbortController();
  const [layer] = image.blobs;
  const digest = layer?.descriptor.digest as Artifact['descriptor']['digest'];
  const blob = await source.openBlob(app, digest, client.signal);
  client.abort(new Error('gone'));
  t.not(blob, undefined);
  await t.rejects(async () => blob && buffer(blob.stream));
});
