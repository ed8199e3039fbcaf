import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { BundleVerification } from '../../../src/compose/airgap-inspect.ts';
import { buildImage } from '../../support/build-image.ts';
import { type FullBundle, usualRoots, writeFullBundle } from '../../support/bundle-kit.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { rootsOf } from '../../support/metadata-kit.ts';
import { runInProcess } from '../../support/run-assay.ts';

// The command has the clock of the machine.
const end = '2199-01-01T00:00:00Z';
const roots = await rootsOf({ expires: end });
const images = [
  { name: 'docker.io/library/app:1.0', artifact: buildImage({ layerSizes: [90_000] }) },
];

async function make(t: Test): Promise<FullBundle & { readonly root: string }> {
  const folder = join(t.testdir(), 'bundle');
  const expires = { targets: end, snapshot: end, timestamp: end };
  const bundle = await writeFullBundle({ folder, images, roots, expires, clock: makeFakeClock() });
  const root = join(t.testdirName, 'root.json');
  writeFileSync(root, roots[0]);
  return { ...bundle, root };
}

const verify = (...words: readonly string[]) => runInProcess(['airgap', 'verify', ...words]);
const volumeOf = ({ folder, volumes }: FullBundle): string =>
  join(folder, 'volumes', volumes[0] ?? 'none');

t.test('a whole bundle of the root ends with 0', async (t) => {
  const { folder, root } = await make(t);
  const run = await verify(folder, '--root', root);
  t.equal(run.code, 0, run.stderr);
  t.match(
    run.stdout,
    /^bundle 1 of stream [a-f0-9]{32}: 3 targets, 3 volumes, \d+ blobs, .* read\n/,
  );
  t.match(run.stdout, /whole; the root that was given vouches for it/);
});

t.test('without a root it says that it looked at integrity only', async (t) => {
  const { folder } = await make(t);
  const run = await verify(folder);
  t.equal(run.code, 0);
  t.match(run.stdout, /whole; integrity only: without --root nothing says whose it is/);
});

t.test('damage ends with 1, and is named', async (t) => {
  const bundle = await make(t);
  const bytes = readFileSync(volumeOf(bundle));
  bytes[5000] = (bytes[5000] ?? 0) ^ 1;
  writeFileSync(volumeOf(bundle), bytes);
  const run = await verify(bundle.folder, '--root', bundle.root);
  t.equal(run.code, 1);
  t.match(run.stdout, /\nCHUNK_CORRUPT: .*0001\.vol: chunk 2 of 10 of volume 1 is damaged/);
  t.match(run.stdout, /\n1 finding; the root that was given/);
  const json = await verify(bundle.folder, '--json');
  t.equal(json.code, 1);
  t.match(JSON.parse(json.stdout) as BundleVerification, {
    vouchedBy: 'itself',
    findings: [{ code: 'CHUNK_CORRUPT', volume: 1, chunk: 2 }],
  });
});

t.test('what is missing ends with 2', async (t) => {
  const bundle = await make(t);
  rmSync(volumeOf(bundle));
  const run = await verify(bundle.folder, '--root', bundle.root);
  t.equal(run.code, 2);
  t.match(run.stdout, /\nVOLUME_MISSING: .*0001\.vol is not there/);
  t.equal((await verify(t.testdirName)).code, 2, 'no bundle at all');
});

t.test('a bundle of others ends with 1', async (t) => {
  const { folder } = await make(t);
  const other = join(t.testdirName, 'other.json');
  writeFileSync(other, (await rootsOf({ keys: { root: ['other'], timestamp: ['other'] } }))[0]);
  const run = await verify(folder, '--root', other);
  t.equal(run.code, 1);
  t.match(run.stdout, /^METADATA_SIGNATURE: the timestamp metadata/);
});

t.test('what has ended ends with 1', async (t) => {
  const folder = join(t.testdir(), 'bundle');
  const clock = makeFakeClock('2020-01-01T00:00:00Z');
  const expires = { targets: end, snapshot: end, timestamp: '2020-01-02T00:00:00Z' };
  await writeFullBundle({ folder, images, roots, expires, clock });
  const run = await verify(folder);
  t.equal(run.code, 1);
  t.match(run.stdout, /METADATA_EXPIRED: the timestamp metadata, version 1, expired at 2020-01-02/);
});

t.test('a root that can not be read is a bad configuration', async (t) => {
  const { folder } = await make(t);
  const run = await verify(folder, '--root', join(folder, 'none.json'));
  t.equal(run.code, 78);
  t.match(run.stderr, /none\.json can not be read: it does not exist/);
  t.equal((await verify()).code, 64);
});

t.test('inspect prints what is in it', async (t) => {
  const { folder, root, volumes } = await make(t);
  const run = await runInProcess(['airgap', 'inspect', folder, '--root', root]);
  t.equal(run.code, 0, run.stderr);
  t.match(run.stdout, /^bundle 1 of stream [a-f0-9]{32}: all that it speaks of\nmade 2030-/);
  t.match(run.stdout, /\nit has no revocation data\nthe root that was given vouches for it\n/);
  t.match(
    run.stdout,
    /\nSigned by\n├─ root 1, until 2199-.*; 1 of 1 key must sign\n│ {2}└─ key [a-f0-9]{64}\n/,
  );
  t.match(
    run.stdout,
    /\nImages\n└─ docker\.io\/library\/app:1\.0\n {3}├─ sha256:.*\n.*no evidence\n/,
  );
  t.ok(run.stdout.includes(`${volumes[2]}, `));
  t.match(run.stdout, /\nDenials: none\n/);
  rmSync(volumeOf({ folder, volumes } as FullBundle));
  const json = await runInProcess(['airgap', 'inspect', folder, '--json']);
  t.match(JSON.parse(json.stdout), {
    vouchedBy: 'itself',
    sequence: 1,
    volumes: [{ copies: 0 }, { copies: 1 }, { copies: 1 }],
    images: [{ reference: 'docker.io/library/app:1.0', news: 'carried' }],
  });
});

t.test('inspect of others is an error', async (t) => {
  const { folder } = await make(t);
  const other = join(t.testdirName, 'other.json');
  writeFileSync(other, usualRoots[0]);
  const run = await runInProcess(['airgap', 'inspect', folder, '--root', other]);
  t.equal(run.code, 0, 'the same keys');
  writeFileSync(other, (await rootsOf({ keys: { root: ['other'], snapshot: ['other'] } }))[0]);
  t.equal((await runInProcess(['airgap', 'inspect', folder, '--root', other])).code, 1);
  t.equal((await runInProcess(['airgap', 'inspect'])).code, 64);
});
