import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import t, { type Test } from 'tap';
import { tarEnd, tarHeader, tarPadding } from '../../src/airgap/tar-header.ts';
import {
  type AirgapLayoutImport,
  importAirgapLayout,
  type LayoutImportReport,
} from '../../src/compose/airgap-import-layout.ts';
import { loadConfig } from '../../src/config/load.ts';
import { encodedOf } from '../../src/oci/digest.ts';
import type { Tag } from '../../src/oci/reference.ts';
import type { RepositoryPath } from '../../src/oci/repository.ts';
import { signatureOf } from '../support/app-kit.ts';
import { type Artifact, buildImage, buildIndex, closureOf } from '../support/build-image.ts';
import { writeFullBundle } from '../support/bundle-kit.ts';
import { makeFakeClock } from '../support/fake-clock.ts';
import { requireTool } from '../support/require-tool.ts';
import { runInProcess } from '../support/run-assay.ts';
import { writeLayout } from '../support/write-layout.ts';
import { makeZone, type ZoneKit } from '../support/zone-kit.ts';

const app = buildImage({ name: 'app', layerSizes: [50_000] });
const other = buildImage({ name: 'other' });
const unsigned = buildImage({ name: 'unsigned' });
const multi = buildIndex();
const signed = (artifact: Artifact) => [{ artifact: signatureOf(artifact.descriptor) }];

function layoutIn(
  zone: ZoneKit,
  entries: Parameters<typeof writeLayout>[1],
  name = 'layout',
): string {
  const folder = join(zone.folder, name);
  writeLayout(folder, entries);
  return folder;
}

async function take(
  zone: ZoneKit,
  path: string,
  wish: Partial<AirgapLayoutImport> = {},
  clock = zone.clock,
): Promise<LayoutImportReport> {
  const { signal } = new AbortController();
  return importAirgapLayout(
    await loadConfig(zone.file),
    {
      path,
      mode: 'import',
      untrusted: 'refuse-all',
      repository: undefined,
      onProgress: () => undefined,
      ...wish,
    },
    signal,
    { clock },
  );
}

async function serves(t: Test, zone: ZoneKit, name: string, artifact: Artifact): Promise<void> {
  const kit = await zone.serve();
  const answer = await kit.ask(name);
  t.equal(answer.status, 200, name);
  t.ok(answer.body.equals(artifact.bytes));
  const repository = name.slice(0, name.indexOf('/manifests/'));
  for (const { descriptor, bytes } of closureOf(artifact).blobs) {
    const blob = await kit.ask(`${repository}/blobs/${descriptor.digest}`);
    t.ok(blob.body.equals(bytes), descriptor.digest);
  }
}

function tarOf(folder: string, into: string, prefix = ''): string {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const parts = names.flatMap((name) => {
    const bytes = readFileSync(name);
    return [
      tarHeader(prefix + relative(folder, name), bytes.length),
      bytes,
      tarPadding(bytes.length),
    ];
  });
  writeFileSync(into, Buffer.concat([...parts, tarEnd]));
  return into;
}

t.test('images of a plain layout are served, where the policy admits them', async (t) => {
  const zone = makeZone(t);
  const layout = layoutIn(zone, [
    { artifact: app, tag: 'docker.io/library/app:1.0' },
    ...signed(app),
    { artifact: multi, tag: 'ghcr.io/acme/multi:2' },
    ...signed(multi),
  ]);
  const report = await take(zone, layout);
  t.match(report, { outcome: 'published', generation: 1 });
  t.strictSame(
    report.images.map(({ reference, outcome }) => [reference, outcome]),
    [
      ['docker.io/library/app:1.0', 'trusted'],
      ['ghcr.io/acme/multi:2', 'trusted'],
    ],
  );
  await serves(t, zone, 'docker.io/library/app/manifests/1.0', app);
  t.match(await take(zone, layout), { outcome: 'held', generation: 1, readBytes: 0 });
});

t.test('a clock that was ahead when a layout came moves no other', async (t) => {
  const zone = makeZone(t);
  const layout = layoutIn(zone, [
    { artifact: app, tag: 'docker.io/library/app:1.0' },
    ...signed(app),
  ]);
  const began = zone.clock.now();
  const ahead = makeFakeClock(new Date(began.getTime() + 86_400_000).toISOString());
  t.match(await take(zone, layout, {}, ahead), { outcome: 'published' });
  const kit = await zone.serve();
  await kit.ask('docker.io/library/app/manifests/1.0');
  const { admission } = await kit.app.gate.admitManifest(
    { upstream: 'docker.io', path: 'library/app' as RepositoryPath },
    { tag: '1.0' as Tag },
    new AbortController().signal,
  );
  t.equal(admission.verdict?.checkedAt.getTime(), began.getTime());
});

t.test('an archive is a layout too, and is not left behind', async (t) => {
  const zone = makeZone(t);
  const layout = layoutIn(zone, [{ artifact: app, tag: '1.0' }, ...signed(app)]);
  const file = tarOf(layout, join(zone.folder, 'app.tar'), './');
  rmSync(layout, { recursive: true });
  const report = await take(zone, file, { repository: 'docker.io/app' });
  t.match(report.images[0], { reference: 'docker.io/library/app:1.0', outcome: 'trusted' });
  await serves(t, zone, 'docker.io/library/app/manifests/1.0', app);
  t.notOk(readdirSync(join(zone.store, 'staging')).includes('layout'));
});

t.test('an image without a name is had by its digest', async (t) => {
  const zone = makeZone(t);
  const layout = layoutIn(zone, [{ artifact: app }, ...signed(app)]);
  await t.rejects(take(zone, layout), { code: 'REPOSITORY_UNCLEAR' });
  const { images } = await take(zone, layout, { repository: 'docker.io/library/app' });
  const { digest } = app.descriptor;
  t.match(images, [{ reference: `docker.io/library/app@${digest}`, outcome: 'trusted' }]);
  await serves(t, zone, `docker.io/library/app/manifests/${digest}`, app);
});

t.test('real tools write what can be read', async (t) => {
  const tools = { skopeo: requireTool(t, 'skopeo'), oras: requireTool(t, 'oras') };
  if (tools.skopeo === undefined || tools.oras === undefined) return;
  const zone = makeZone(t);
  const layout = layoutIn(zone, [{ artifact: app, tag: '1.0' }, ...signed(app)]);
  const [archive, folder] = [join(zone.folder, 'app.tar'), join(zone.folder, 'oras')];
  const repository = 'docker.io/library/app';
  const copied = ['-r', '--from-oci-layout', `${layout}:1.0`, '--to-oci-layout', `${folder}:1.0`];
  execFileSync(tools.oras, ['copy', ...copied], { stdio: 'pipe' });
  execFileSync('tar', ['-C', folder, '-cf', archive, '.']);
  for (const path of [folder, archive]) {
    const { images } = await take(zone, path, { repository, mode: 'verify-only' });
    t.match(images, [{ reference: 'docker.io/library/app:1.0', outcome: 'trusted' }]);
  }
  const alone = `oci-archive:${join(zone.folder, 'alone.tar')}`;
  execFileSync(tools.skopeo, ['copy', '--insecure-policy', `oci:${layout}:1.0`, alone], {
    stdio: 'pipe',
  });
  const report = await take(zone, join(zone.folder, 'alone.tar'), { repository });
  t.match(
    report.images,
    [{ outcome: 'denied', reason: 'not-reachable' }],
    'it copies no signatures',
  );
});

t.test('a tag alone needs a repository', async (t) => {
  const zone = makeZone(t);
  const layout = layoutIn(zone, [{ artifact: app, tag: '1.0' }, ...signed(app)]);
  await t.rejects(take(zone, layout), { code: 'REPOSITORY_UNCLEAR', message: /--repository/ });
  await t.rejects(take(zone, layout, { repository: 'docker.io' }), { code: 'REPOSITORY_UNCLEAR' });
  await t.rejects(take(zone, layout, { repository: 'Not/A Name' }), { code: 'REPOSITORY_UNCLEAR' });
});

t.test('an image that nobody signed is refused, and leaves nothing', async (t) => {
  const zone = makeZone(t);
  const layout = layoutIn(zone, [
    { artifact: app, tag: 'docker.io/library/app:1.0' },
    ...signed(app),
    { artifact: unsigned, tag: 'docker.io/library/unsigned:1' },
  ]);
  const refused = await take(zone, layout);
  t.match(refused, { outcome: 'refused', generation: undefined });
  t.match(refused.images[1], { outcome: 'denied', reason: 'unsigned' });
  t.strictSame(readdirSync(join(zone.store, 'blobs', 'sha256')), []);
  const kept = await take(zone, layout, { untrusted: 'keep-trusted' });
  t.match(kept, { outcome: 'published', generation: 1 });
  const names = readdirSync(join(zone.store, 'blobs', 'sha256'));
  t.notOk(names.includes(encodedOf(unsigned.descriptor.digest)), 'what is left out did not stay');
  await serves(t, zone, 'docker.io/library/app/manifests/1.0', app);
});

t.test('verify-only publishes nothing', async (t) => {
  const zone = makeZone(t);
  const layout = layoutIn(zone, [
    { artifact: app, tag: 'docker.io/library/app:1.0' },
    ...signed(app),
  ]);
  t.match(await take(zone, layout, { mode: 'verify-only' }), { outcome: 'verified' });
  t.notOk(readdirSync(zone.store).includes('published.json'));
});

t.test('bundles and layouts live beside each other', async (t) => {
  const zone = makeZone(t);
  const bundled = { artifact: app, evidence: [signatureOf(app.descriptor)] };
  const images = [{ ...bundled, name: 'docker.io/library/app:1.0' }];
  const first = await writeFullBundle({ folder: join(zone.folder, '1'), images });
  await zone.import(first);
  const layout = layoutIn(zone, [
    { artifact: other, tag: 'docker.io/library/other:1' },
    ...signed(other),
  ]);
  t.match(await take(zone, layout), { outcome: 'published', generation: 2 });
  const twice = layoutIn(
    zone,
    [{ artifact: other, tag: 'docker.io/library/app:1.0' }, ...signed(other)],
    'twice',
  );
  await t.rejects(take(zone, twice), {
    code: 'LAYOUT_NAMES',
    message: /docker\.io\/library\/app is a repository of the bundles here/,
  });
  t.match(await zone.import(first), { outcome: 'held' }, 'the bundle is still the one in force');
  const kit = await zone.serve();
  t.equal((await kit.ask('docker.io/library/app/manifests/1.0')).status, 200);
  t.equal((await kit.ask('docker.io/library/other/manifests/1')).status, 200);

  const second = await writeFullBundle({
    folder: join(zone.folder, '2'),
    images,
    sequence: 2,
    previous: first.asPrevious,
  });
  t.match(await zone.import(second), { outcome: 'published', generation: 3 });
  const revocations = await writeFullBundle({
    folder: join(zone.folder, '3'),
    images: [],
    kind: 'revocation',
    sequence: 3,
    previous: second.asPrevious,
  });
  t.match(await zone.import(revocations), { outcome: 'published', generation: 4 });
  const later = await kit.restarted();
  t.equal((await later.ask('docker.io/library/other/manifests/1')).status, 200, 'it stays');

  const third = await writeFullBundle({
    folder: join(zone.folder, '4'),
    images: [...images, { ...bundled, name: 'docker.io/library/other:1' }],
    sequence: 4,
    previous: revocations.asPrevious,
  });
  await zone.import(third);
  // The server remembers where a tag led for a moment.
  zone.clock.advanceMs(3_600_000);
  const last = await later.restarted();
  const answer = await last.ask('docker.io/library/other/manifests/1');
  t.ok(answer.body.equals(app.bytes), 'what a bundle brings goes before it');
});

t.test('a layout that is damaged or not whole is no layout', async (t) => {
  const zone = makeZone(t);
  const entries = [{ artifact: app, tag: 'docker.io/library/app:1.0' }, ...signed(app)];
  const [blob] = closureOf(app).blobs;
  const layout = layoutIn(zone, entries);
  const file = join(layout, 'blobs', 'sha256', encodedOf(blob!.descriptor.digest));
  writeFileSync(file, Buffer.alloc(blob!.bytes.length));
  await t.rejects(take(zone, layout), { code: 'CONTENT_MISMATCH' });
  rmSync(file);
  await t.rejects(take(zone, layout), { code: 'BLOB_MISSING' });
  rmSync(join(layout, 'index.json'));
  await t.rejects(take(zone, layout), { code: 'LAYOUT_MALFORMED' });
  await t.rejects(take(zone, join(zone.folder, 'none')), { code: 'LAYOUT_MISSING' });
  t.notOk(readdirSync(zone.store).includes('published.json'));
});

t.test('the command says that nobody signed the layout', async (t) => {
  const zone = makeZone(t);
  const layout = layoutIn(zone, [{ artifact: app, tag: '1.0' }, ...signed(app)]);
  const words = ['--format', 'oci', '--config', zone.file];
  const name = ['--repository', 'docker.io/library/app'];
  const run = await runInProcess(['airgap', 'import', ...words, ...name, layout]);
  t.equal(run.code, 0, run.stderr);
  t.match(run.stdout, /image layout: published as generation 1\n.*\nnobody signed the layout/);
  t.equal((await runInProcess(['airgap', 'import', ...words, layout, layout])).code, 64);
  t.equal((await runInProcess(['airgap', 'import', ...words, '--root', 'x', layout])).code, 64);
  t.equal((await runInProcess(['airgap', 'import', ...name, layout])).code, 64);
});
