import { buffer } from 'node:stream/consumers';
import type { Test } from 'tap';
import { digestOf } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { parseTag, type Tag } from '../../src/oci/reference.ts';
import { parseRepositoryPath, type RepositoryPath } from '../../src/oci/repository.ts';
import type { ContentSource } from '../../src/upstream/content-source.ts';
import {
  type Artifact,
  buildBlob,
  buildImage,
  buildIndex,
  buildManifest,
  buildSignatureManifest,
} from '../support/build-image.ts';

/** What the suite's repository `team/app` holds; `team/other` holds one image. */
export interface ContractContent {
  readonly entries: readonly ContractEntry[];
}

export interface ContractEntry {
  readonly path: string;
  readonly artifact: Artifact;
  readonly tag?: string;
}

const path = parseRepositoryPath('team/app') as RepositoryPath;
const missingPath = parseRepositoryPath('team/missing') as RepositoryPath;
const tagOf = (text: string): Tag => parseTag(text) as Tag;
const { signal } = new AbortController();

const image = buildImage({ name: 'contract', layerSizes: [10, 200_000] });
const index = buildIndex({ name: 'contract-index' });
const strong = buildImage({ name: 'strong', algorithm: 'sha512' });
const empty = buildManifest({ layers: [buildBlob('application/x', '')] });
const other = buildImage({ name: 'other' });
const signatures = ['one', 'two'].map((text) =>
  buildSignatureManifest({
    envelope: Buffer.from(text),
    mediaType: 'application/jose+json',
    of: image.descriptor,
    annotations: { name: text },
  }),
);
const content: ContractContent = {
  entries: [
    { path: 'team/app', artifact: image, tag: 'v1' },
    { path: 'team/app', artifact: index, tag: 'multi' },
    { path: 'team/app', artifact: strong, tag: 'strong' },
    { path: 'team/app', artifact: empty, tag: 'empty' },
    ...signatures.map((artifact) => ({ path: 'team/app', artifact })),
    { path: 'team/other', artifact: other, tag: 'v1' },
  ],
};

/** What every `ContentSource` keeps to; `open` gives a new one that holds the content. */
export function contentSourceContract(
  t: Test,
  open: (t: Test, content: ContractContent) => Promise<ContentSource>,
): void {
  t.test('a tag resolves to the digest of its manifest', async (t) => {
    const source = await open(t, content);
    t.equal(await source.resolveTag(path, tagOf('v1'), signal), image.descriptor.digest);
    t.equal(await source.resolveTag(path, tagOf('multi'), signal), index.descriptor.digest);
  });

  t.test('a tag or repository that is not there is undefined', async (t) => {
    const source = await open(t, content);
    t.equal(await source.resolveTag(path, tagOf('none'), signal), undefined);
    t.equal(await source.resolveTag(missingPath, tagOf('v1'), signal), undefined);
    t.equal(await source.fetchManifest(path, { tag: tagOf('none') }, signal), undefined);
    t.equal(await source.listTags(missingPath, { limit: 10 }, signal), undefined);
  });

  t.test('a manifest comes by tag and by digest, byte for byte', async (t) => {
    const source = await open(t, content);
    const { digest } = image.descriptor;
    for (const reference of [{ tag: tagOf('v1') }, { digest }]) {
      const manifest = await source.fetchManifest(path, reference, signal);
      t.strictSame(Buffer.from(manifest?.bytes ?? []), Buffer.from(image.bytes));
      t.equal(manifest?.digest, digest);
      t.equal(manifest?.contentType, mediaTypes.ociManifest);
    }
  });

  t.test('an index lists children that come by digest', async (t) => {
    const source = await open(t, content);
    const manifest = await source.fetchManifest(path, { tag: tagOf('multi') }, signal);
    t.equal(manifest?.contentType, mediaTypes.ociIndex);
    for (const child of index.children) {
      const { digest } = child.descriptor;
      const found = await source.fetchManifest(path, { digest }, signal);
      t.strictSame(Buffer.from(found?.bytes ?? []), Buffer.from(child.bytes));
    }
  });

  t.test('a manifest that is named by sha512 is found and named so', async (t) => {
    const source = await open(t, content);
    const { digest } = strong.descriptor;
    t.match(digest, /^sha512:/);
    const manifest = await source.fetchManifest(path, { digest }, signal);
    t.equal(manifest?.digest, digest);
  });

  t.test('a digest that is not there is undefined, as manifest and as blob', async (t) => {
    const source = await open(t, content);
    const digest = digestOf(Buffer.from('nothing has these bytes'));
    t.equal(await source.fetchManifest(path, { digest }, signal), undefined);
    t.equal(await source.statBlob(path, digest, signal), undefined);
    t.equal(await source.openBlob(path, digest, signal), undefined);
  });

  t.test('blobs have their size and their bytes', async (t) => {
    const source = await open(t, content);
    for (const { descriptor, bytes } of [...image.blobs, ...empty.blobs]) {
      const { digest, size } = descriptor;
      t.equal((await source.statBlob(path, digest, signal))?.size, size);
      const blob = await source.openBlob(path, digest, signal);
      t.equal(blob?.size, size);
      t.strictSame(blob && (await buffer(blob.stream)), Buffer.from(bytes));
    }
  });

  t.test('what one reads twice is the same', async (t) => {
    const source = await open(t, content);
    const digest = image.blobs[0]?.descriptor.digest as Artifact['descriptor']['digest'];
    const read = async () => {
      const blob = await source.openBlob(path, digest, signal);
      return blob && buffer(blob.stream);
    };
    t.strictSame(await read(), await read());
    const reference = { digest: image.descriptor.digest };
    const first = await source.fetchManifest(path, reference, signal);
    const second = await source.fetchManifest(path, reference, signal);
    t.strictSame(Buffer.from(first?.bytes ?? []), Buffer.from(second?.bytes ?? []));
  });

  t.test('a layer is no manifest', async (t) => {
    const source = await open(t, content);
    for (const { descriptor } of image.blobs) {
      const reference = { digest: descriptor.digest };
      t.equal(await source.fetchManifest(path, reference, signal), undefined);
    }
  });

  t.test('tags come in pages, each once and in order', async (t) => {
    const source = await open(t, content);
    const first = await source.listTags(path, { limit: 3 }, signal);
    t.strictSame(first, { tags: ['empty', 'multi', 'strong'], more: true });
    const rest = await source.listTags(path, { limit: 3, last: tagOf('strong') }, signal);
    t.strictSame(rest, { tags: ['v1'], more: false });
    const all = await source.listTags(path, { limit: 1000 }, signal);
    t.strictSame(all, { tags: ['empty', 'multi', 'strong', 'v1'], more: false });
  });

  t.test('referrers are those that name the digest as their subject', async (t) => {
    const source = await open(t, content);
    const { found } = await source.listReferrers(path, image.descriptor.digest, signal);
    t.strictSame(
      found.map(({ digest }) => digest).toSorted(),
      signatures.map(({ descriptor }) => descriptor.digest).toSorted(),
    );
    t.ok(found.every(({ artifactType }) => artifactType?.includes('notary')));
    t.strictSame(await source.listReferrers(path, index.descriptor.digest, signal), { found: [] });
  });

  t.test('a call that is given up ends with the reason of its signal', async (t) => {
    const source = await open(t, content);
    const reason = new Error('nobody waits any more');
    const gone = AbortSignal.abort(reason);
    const digest = digestOf(Buffer.from('x'));
    await t.rejects(source.resolveTag(path, tagOf('v1'), gone), reason);
    await t.rejects(source.fetchManifest(path, { tag: tagOf('v1') }, gone), reason);
    await t.rejects(source.statBlob(path, digest, gone), reason);
    await t.rejects(source.openBlob(path, digest, gone), reason);
    await t.rejects(source.listTags(path, { limit: 10 }, gone), reason);
    await t.rejects(source.listReferrers(path, digest, gone), reason);
  });
}
