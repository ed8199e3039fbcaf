import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { makeStoreFiles, makeStoreFolders } from '../../src/airgap/store-files.ts';
import { lockStore } from '../../src/airgap/store-lock.ts';
import { systemFiles } from '../../src/storage/file-system.ts';
import { signatureOf } from '../support/app-kit.ts';
import { buildImage } from '../support/build-image.ts';
import { type FullBundleWish, writeFullBundle } from '../support/bundle-kit.ts';
import { makeFaultyFiles } from '../support/faulty-files.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { flip, makeZone, type ZoneOptions } from '../support/zone-kit.ts';

const app = buildImage({ name: 'app', layerSizes: [90_000, 5_000] });
const images = [
  {
    name: 'docker.io/library/app:1.0',
    artifact: app,
    evidence: [signatureOf(app.descriptor)],
  },
];

async function prepare(t: Test, options: ZoneOptions = {}, wish: Partial<FullBundleWish> = {}) {
  const zone = makeZone(t, options);
  const folder = join(zone.folder, 'in');
  const bundle = await writeFullBundle({ folder, images, ...wish });
  const volume = (number: number) => join(folder, 'volumes', bundle.volumes[number - 1] ?? '');
  return { zone, bundle, volume };
}

t.test('what is kept in the store is believed by its seal alone', async (t) => {
  const { zone, bundle } = await prepare(t);
  await zone.import(bundle);
  const states = ['state-a', 'state-b'].map((name) => join(zone.store, name));
  const kept = states.map((file) => readFileSync(file));
  flip(states[0]!, 60);
  t.match(await zone.import(bundle), { outcome: 'held' }, 'one copy is enough');
  t.strictSame(
    states.map((file) => readFileSync(file)),
    kept,
    'of which the other is made anew',
  );
  for (const file of states) flip(file, 60);
  await t.rejects(zone.import(bundle), { code: 'STORE_DAMAGED', message: /does not open/ });
  for (const file of states) rmSync(file);
  await t.rejects(zone.import(bundle), { code: 'STORE_DAMAGED', message: /was set back/ });
  states.forEach((file, index) => writeFileSync(file, kept[index]!));
  const published = join(zone.store, 'published.json');
  writeFileSync(published, readFileSync(published, 'utf8').replace('"sealed": "', '"sealed": "AA'));
  await t.rejects(zone.import(bundle), { code: 'STORE_DAMAGED', message: /published\.json/ });
  await t.rejects(zone.serve(), { code: 'STATE_UNUSABLE', message: /airgap\.store/ });
});

t.test('a second import waits for no one: it says that there is one', async (t) => {
  const { zone, bundle } = await prepare(t);
  const store = makeStoreFiles(zone.store);
  await makeStoreFolders(store, systemFiles);
  const release = await lockStore(store, systemFiles);
  await t.rejects(zone.import(bundle), {
    code: 'STORE_BUSY',
    message: /another import is at work/,
  });
  await release();
  t.match(await zone.import(bundle), { outcome: 'published' });
});

t.test('a device is no volume, whatever leads to it', async (t) => {
  const { zone, bundle, volume } = await prepare(t);
  rmSync(volume(1));
  await symlink('/dev/zero', volume(1));
  await t.rejects(zone.import(bundle), { code: 'VOLUME_MISSING' });
});

let undisturbed: readonly string[] = [];

t.test('an import that nothing disturbs leaves nothing behind', async (t) => {
  const { zone, bundle } = await prepare(t);
  await zone.import(bundle);
  undisturbed = namesOf(zone.contents());
  t.strictSame(
    undisturbed
      .map((line) => line.replace(/ .*/, '').replace(/[0-9a-f]{64}/, 'HEX'))
      .filter((name) => !name.startsWith('blobs/')),
    [
      'generations/1/_blobs.idx',
      'generations/1/bundle.json',
      'generations/1/docker.io/index.json',
      'published.json',
      'state-a',
      'state-b',
    ],
  );
});

const faults = [
  { what: 'a part of a blob', call: 'writev', path: /parts/ },
  { what: 'a part of a blob that is to last', call: 'datasync', path: /parts/ },
  { what: 'a blob’s name', call: 'rename', path: /blobs\/sha256/ },
  { what: 'the index of a generation', call: 'rename', path: /index\.json/ },
  { what: 'a copy of the state', call: 'rename', path: /state-b/ },
  { what: 'what is in force', call: 'rename', path: /published\.json/ },
  { what: 'the link to the trust files', call: 'rename', path: /trust\/current/ },
  { what: 'the receipt', call: 'rename', path: /receipts/ },
] as const;

for (const { what, call, path } of faults) {
  t.test(
    `a disk that is full when it comes to ${what} is said, and the next try ends it`,
    async (t) => {
      const { zone, bundle } = await prepare(t);
      const files = makeFaultyFiles();
      files.fail(call, path, 'ENOSPC');
      await t.rejects(zone.import(bundle, { files }), { code: 'NO_SPACE' });
      t.match((await zone.import(bundle)).outcome, /^published$|^held$/);
      t.strictSame(namesOf(zone.contents()), undisturbed, 'the store is as it would be');
    },
  );
}

t.test('what does not fit is said before anything is read', async (t) => {
  const disk = mountSmallDisk(t, { mebibytes: 24 });
  if (disk === undefined) return;
  const large = buildImage({ name: 'large', layerSizes: [20 * 1024 * 1024] });
  const evidence = [signatureOf(large.descriptor)];
  const { zone, bundle } = await prepare(
    t,
    { airgap: { store: join(disk.folder, 'store') } },
    {
      images: [{ name: 'docker.io/library/large:1.0', artifact: large, evidence }],
      volumeBytes: 30 * 1024 * 1024,
      chunkBytes: 1024 * 1024,
    },
  );
  await t.rejects(zone.import(bundle), {
    code: 'NO_SPACE',
    message: /brings \d+ that are not here, which need \d+ of room to work in: free \d+ more/,
  });
});

function namesOf(contents: Readonly<Record<string, string>>) {
  // What is sealed has the times of the import in it.
  return Object.entries(contents).map(([name, hash]) =>
    /^(?:state-|published)/.test(name) ? name : `${name} ${hash}`,
  );
}

t.test('what a killed import was about to write is taken away by the next', async (t) => {
  const { zone, bundle } = await prepare(t);
  await zone.import(bundle);
  const before = namesOf(zone.contents());
  for (const name of ['state-b', 'published.json', 'receipts/1.txt']) {
    writeFileSync(join(zone.store, `${name}.0123456789abcdef`), 'half');
  }
  await zone.import(bundle);
  t.strictSame(namesOf(zone.contents()), before);
  t.notOk(existsSync(join(zone.store, 'receipts', '1.txt.0123456789abcdef')));
});
