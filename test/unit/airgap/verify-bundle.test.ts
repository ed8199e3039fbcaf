import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { verifyBundle } from '../../../src/airgap/verify-bundle.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { stream } from '../../support/airgap-kit.ts';
import { buildImage } from '../../support/build-image.ts';
import {
  type FullBundle,
  type FullBundleWish,
  usualRoots,
  writeFullBundle,
} from '../../support/bundle-kit.ts';
import { rootsOf } from '../../support/metadata-kit.ts';

const { signal } = new AbortController();
const now = new Date('2030-01-02T00:00:00Z');
const artifact = buildImage({ layerSizes: [50_000, 20_000] });
const images = [{ name: 'docker.io/library/app:1.0', artifact }];
const trust = { 'policy.yaml': { kind: 'policy' as const, bytes: Buffer.from('policy') } };

const make = (t: Test, wish: Partial<FullBundleWish> = {}): Promise<FullBundle> =>
  writeFullBundle({ folder: join(t.testdir(), 'bundle'), images, trust, ...wish });

function verify(places: readonly string[], root: Uint8Array | undefined = usualRoots[0], at = now) {
  return verifyBundle({ places, root, now: at, onProgress: () => undefined }, signal);
}

function change(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}

const targetOf = ({ folder }: FullBundle, name: string): string => {
  const found = readdirSync(join(folder, 'targets')).find((file) => file.endsWith(name));
  return join(folder, 'targets', found ?? 'none');
};
const volumeOf = ({ folder, volumes }: FullBundle, number: number): string =>
  join(folder, 'volumes', volumes[number - 1] ?? 'none');

t.test('a whole bundle has no findings, and everything of it was read', async (t) => {
  const bundle = await make(t);
  const progress: [number, number][] = [];
  const onProgress = (done: number, total: number): void => void progress.push([done, total]);
  const options = { places: [bundle.folder], root: usualRoots[0], now, onProgress };
  const { findings, vouchedBy, bundle: summary } = await verifyBundle(options, signal);
  t.strictSame(findings, []);
  t.equal(vouchedBy, 'pinned');
  t.match(summary, { stream, sequence: 1, targets: 4, volumes: 2, blobs: 4 });
  const [done, total] = progress.at(-1) ?? [];
  t.equal(done, total);
  t.equal(summary?.readBytes, total);
});

t.test('without a root it says that nothing vouches for it', async (t) => {
  const bundle = await make(t);
  const { findings, vouchedBy } = await verifyBundle(
    { places: [bundle.folder], root: undefined, now, onProgress: () => undefined },
    signal,
  );
  t.strictSame(findings, []);
  t.equal(vouchedBy, 'itself');
});

t.test('a bundle of another stream is not believed, and not looked at', async (t) => {
  const bundle = await make(t);
  const [root] = await rootsOf({ stream: 'f'.repeat(32) });
  const { findings, bundle: summary } = await verify([bundle.folder], root);
  t.match(findings, [{ code: 'STREAM_MISMATCH' }]);
  t.equal(summary, undefined);
});

t.test('a damaged chunk is named, and so are others behind it', async (t) => {
  const bundle = await make(t);
  change(volumeOf(bundle, 1), 5000);
  change(volumeOf(bundle, 2), 20_000);
  const { findings } = await verify([bundle.folder]);
  t.match(findings, [
    { code: 'CHUNK_CORRUPT', volume: 1, chunk: 2, message: /chunk 2 of 10 of volume 1/ },
    { code: 'CHUNK_CORRUPT', volume: 2, chunk: 5 },
  ]);
});

t.test('each missing volume is named', async (t) => {
  const bundle = await make(t);
  rmSync(join(bundle.folder, 'volumes'), { recursive: true });
  const { findings } = await verify([bundle.folder]);
  t.match(findings, [
    { code: 'VOLUME_MISSING', volume: 1, message: `${bundle.volumes[0]} is not there` },
    { code: 'VOLUME_MISSING', volume: 2 },
  ]);
});

t.test('volumes may lie in several folders, by themselves as well', async (t) => {
  const bundle = await make(t);
  const [one, two] = ['one', 'two'].map((name) => join(t.testdirName, name)) as [string, string];
  mkdirSync(one);
  mkdirSync(join(two, 'volumes'), { recursive: true });
  renameSync(volumeOf(bundle, 1), join(one, bundle.volumes[0] ?? ''));
  renameSync(volumeOf(bundle, 2), join(two, 'volumes', bundle.volumes[1] ?? ''));
  t.strictSame((await verify([one, two, bundle.folder])).findings, []);
  t.match((await verify([one, bundle.folder])).findings, [{ code: 'VOLUME_MISSING', volume: 2 }]);
});

t.test('two damaged copies may make a whole one', async (t) => {
  const bundle = await make(t);
  const copy = join(t.testdirName, 'copy');
  cpSync(bundle.folder, copy, { recursive: true });
  change(volumeOf(bundle, 1), 5000);
  change(join(copy, 'volumes', bundle.volumes[0] ?? ''), 30_000);
  t.strictSame((await verify([bundle.folder, copy])).findings, []);
  change(join(copy, 'volumes', bundle.volumes[0] ?? ''), 5001);
  const { findings } = await verify([bundle.folder, copy]);
  t.match(findings, [
    { code: 'CHUNK_CORRUPT', chunk: 2, message: /bundle/ },
    { code: 'CHUNK_CORRUPT', chunk: 2, message: /copy/ },
  ]);
  t.equal(findings.length, 2);
});

t.test('a volume that ends early, or was swapped, is named', async (t) => {
  const bundle = await make(t);
  truncateSync(volumeOf(bundle, 1), 39_000);
  const early = await verify([bundle.folder]);
  t.match(early.findings, [
    { code: 'VOLUME_TRUNCATED', volume: 1 },
    { code: 'CHUNK_CORRUPT', volume: 1, chunk: 10 },
  ]);
  cpSync(volumeOf(bundle, 2), volumeOf(bundle, 1));
  t.match((await verify([bundle.folder])).findings, [
    { code: 'VOLUME_FOREIGN', volume: 1, message: /is volume 2 of bundle 1/ },
  ]);
});

t.test('a target that was changed, or is missing, is named', async (t) => {
  const bundle = await make(t);
  change(
    join(
      bundle.folder,
      'targets',
      'trust',
      readdirSync(join(bundle.folder, 'targets', 'trust'))[0] ?? '',
    ),
    0,
  );
  t.match((await verify([bundle.folder])).findings, [
    { code: 'TARGET_MISMATCH', message: /"trust\/policy.yaml"/ },
  ]);
  const index = await make(t);
  change(targetOf(index, 'blobs.idx'), 10);
  const { findings } = await verify([index.folder]);
  t.equal(findings[0]?.code, 'TARGET_MISMATCH');
  const document = await make(t);
  rmSync(targetOf(document, 'bundle.json'));
  t.match((await verify([document.folder])).findings, [
    { code: 'TARGET_MISSING' },
    { code: 'TARGET_MISSING' },
  ]);
});

t.test('a manifest that the index does not have is named', async (t) => {
  const { digest } = artifact.descriptor;
  const bundle = await make(t, {
    changeIndex: (text) => text.replace(digest, digestOf(Buffer.from('other'))),
  });
  t.match((await verify([bundle.folder])).findings, [
    { code: 'BLOB_MISSING', message: new RegExp(digest) },
  ]);
});

t.test('an index that breaks the format is named', async (t) => {
  const bundle = await make(t, { changeIndex: (text) => text.replace(':4096+', ':4097+') });
  t.match((await verify([bundle.folder])).findings, [{ code: 'INDEX_MALFORMED' }]);
});

t.test('content that is taken to be there needs a base', async (t) => {
  const { digest } = artifact.descriptor;
  const wish = { assumed: [digest], sequence: 2 } as const;
  const previous = { sequence: 1, snapshot: digest };
  const good = await make(t, { ...wish, previous, base: 1 });
  t.strictSame((await verify([good.folder])).findings, []);
  const bad = await make(t, wish);
  t.match((await verify([bad.folder])).findings, [
    { code: 'INDEX_MALFORMED', message: /and the bundle has no base/ },
  ]);
});

t.test('bundle.json of another bundle is named', async (t) => {
  const bundle = await make(t, { changeDocument: (document) => ({ ...document, sequence: 3 }) });
  t.match((await verify([bundle.folder])).findings, [
    { code: 'STREAM_MISMATCH', message: /bundle.json is of bundle 3/ },
  ]);
});

t.test('trust material that only one of the two lists is named', async (t) => {
  const less = await make(t, { changeDocument: (document) => ({ ...document, trust: [] }) });
  t.match((await verify([less.folder])).findings, [
    { code: 'DOCUMENT_MALFORMED', message: /trust\/policy.yaml is a target, and/ },
  ]);
  const more = await make(t, {
    changeDocument: (document) => ({
      ...document,
      trust: [...document.trust, { path: 'trust/more.pem', kind: 'certificate' }],
    }),
  });
  t.match((await verify([more.folder])).findings, [
    { code: 'TARGET_MISSING', message: /bundle.json lists trust\/more.pem/ },
  ]);
});

t.test('what has expired is named, and the rest is looked at', async (t) => {
  const bundle = await make(t, { expires: { timestamp: '2030-01-02T00:00:00Z' } });
  const { findings, bundle: summary } = await verify([bundle.folder]);
  t.match(findings, [{ code: 'METADATA_EXPIRED', message: /the timestamp metadata, version 1/ }]);
  t.ok((summary?.readBytes ?? 0) > 0);
});

t.test('folders of two bundles are not one', async (t) => {
  const one = await make(t);
  const other = await writeFullBundle({
    folder: join(t.testdirName, 'other'),
    images: [],
    sequence: 2,
    previous: one.asPrevious,
  });
  t.match((await verify([one.folder, other.folder])).findings, [{ code: 'BUNDLE_AMBIGUOUS' }]);
  t.match((await verify([t.testdirName])).findings, [{ code: 'METADATA_MISSING' }]);
});

t.test('whoever stops gets no answer', async (t) => {
  const bundle = await make(t);
  const options = { places: [bundle.folder], root: undefined, now, onProgress: () => undefined };
  const stopped = AbortSignal.abort(new Error('stopped'));
  await t.rejects(verifyBundle(options, stopped), /stopped/);
});
