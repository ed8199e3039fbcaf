import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { manifestMediaTypes } from '../../src/oci/media-types.ts';
import { signatureOf, writeConfiguration } from '../support/app-kit.ts';
import { buildImage, buildIndex } from '../support/build-image.ts';
import { type ExportKit, filesBelow, makeExportKit } from '../support/export-kit.ts';
import { requireTool } from '../support/require-tool.ts';
import { runInProcess } from '../support/run-assay.ts';
import { openScriptedRegistry } from '../support/scripted-registry.ts';
import { mustRun } from './support/process.ts';
import { startRegistry } from './support/registries.ts';

const image = buildImage({ name: 'exported' });
const multi = buildIndex({ name: 'exported' });
const signature = signatureOf(image.descriptor);
const list = 'images: [reg/team/app:v1, reg/team/multi:v2]';

/** A site with a signed image and a signed index. */
async function openSite(t: Test): Promise<ExportKit> {
  const registry = await openScriptedRegistry(t);
  registry.put('team/app', image, 'v1');
  registry.put('team/app', signature);
  registry.put('team/multi', multi, 'v2');
  registry.put('team/multi', signatureOf(multi.descriptor));
  return makeExportKit(writeConfiguration(t, { upstreams: { reg: registry.origin } }));
}

/** The manifest that a registry has under a tag or digest. */
async function manifestAt(origin: string, path: string, reference: string): Promise<Buffer> {
  const headers = { accept: manifestMediaTypes.join(', ') };
  const answer = await fetch(`${origin}/v2/${path}/manifests/${reference}`, { headers });
  return Buffer.from(await answer.arrayBuffer());
}

t.test('a layout is an upstream of Assay, which trusts what lies in it', async (t) => {
  const kit = await openSite(t);
  t.equal((await kit.report(list, 'layout', '--format', 'oci')).code, 0);
  const configuration = JSON.parse(readFileSync(kit.file, 'utf8')) as object;
  const file = join(kit.folder, 'zone.yaml');
  const upstreams = { reg: { layout: './layout' } };
  const storage = { path: './zone' };
  writeFileSync(file, JSON.stringify({ ...configuration, upstreams, storage }));
  for (const name of ['reg/team/app:v1', 'reg/team/multi:v2']) {
    const { code, stdout } = await runInProcess(['verify', name, '--config', file]);
    t.equal(code, 0, stdout);
  }
});

t.test('a layout has what the image specification names, and is not written over', async (t) => {
  const kit = await openSite(t);
  t.equal((await kit.report(list, 'layout', '--format', 'oci')).code, 0);
  const names = filesBelow(join(kit.folder, 'layout'));
  t.ok(
    names.every((name) => /^(?:oci-layout|index\.json|blobs\/sha256\/[0-9a-f]{64})$/.test(name)),
  );
  const again = await kit.run(list, 'layout', '--format', 'oci');
  t.match(again.stderr, /layout is not empty: export into a folder of its own/);
});

t.test('the same list makes the same tar', async (t) => {
  const kit = await openSite(t);
  await kit.report(list, 'one.tar', '--format', 'oci-tar');
  await kit.report(list, 'two.tar', '--format', 'oci-tar');
  const [one, two] = ['one.tar', 'two.tar'].map((name) => readFileSync(join(kit.folder, name)));
  t.ok(two !== undefined && one?.equals(two));
  const listed = await mustRun('tar', ['-tvf', join(kit.folder, 'one.tar')]);
  t.match(listed, /oci-layout\n.*index\.json\n.*blobs\/sha256\/[0-9a-f]{64}\n/);
  await kit.report(list, 'layout', '--format', 'oci');
  const [folder, unpacked] = ['layout', 'unpacked'].map((name) => join(kit.folder, name));
  mkdirSync(unpacked ?? '');
  await mustRun('tar', ['-xf', join(kit.folder, 'one.tar'), '-C', unpacked ?? '']);
  t.same(filesBelow(unpacked ?? ''), filesBelow(folder ?? ''));
  for (const name of filesBelow(folder ?? '')) {
    const both = [folder, unpacked].map((place) => readFileSync(join(place ?? '', name)));
    t.ok(both[0]?.equals(both[1] ?? Buffer.alloc(0)), name);
  }
});

for (const [format, out] of [
  ['oci', 'layout'],
  ['oci-tar', 'layout.tar'],
] as const) {
  t.test(`oras copies an image with its signature out of ${format}`, async (t) => {
    const oras = requireTool(t, 'oras');
    const kit = await openSite(t);
    const registry = await startRegistry(t, 'referrers', join(kit.folder, 'registry'));
    if (oras === undefined || registry === undefined) return;
    await kit.report(list, out, '--format', format);
    const from = `${join(kit.folder, out)}:v1`;
    const to = `${registry.address}/app:v1`;
    const words = ['copy', '-r', '--from-oci-layout', from, '--to-plain-http', to];
    await mustRun(oras, words, { env: { HOME: kit.folder } });
    t.ok((await manifestAt(registry.origin, 'app', 'v1')).equals(image.bytes));
    const { digest } = image.descriptor;
    const referrers = await fetch(`${registry.origin}/v2/app/referrers/${digest}`);
    t.match(await referrers.json(), { manifests: [{ digest: signature.descriptor.digest }] });
  });

  t.test(`skopeo copies images by their names out of ${format}`, async (t) => {
    const skopeo = requireTool(t, 'skopeo');
    const kit = await openSite(t);
    const registry = await startRegistry(t, 'distribution', join(kit.folder, 'registry'));
    if (skopeo === undefined || registry === undefined) return;
    await kit.report(list, out, '--format', format);
    const transport = format === 'oci' ? 'oci' : 'oci-archive';
    for (const [name, artifact] of [
      ['team/app:v1', image],
      ['team/multi:v2', multi],
    ] as const) {
      const from = `${transport}:${join(kit.folder, out)}:${name}`;
      const to = `docker://${registry.address}/${name}`;
      const words = ['copy', '--all', '--preserve-digests', '--dest-tls-verify=false'];
      await mustRun(skopeo, ['--insecure-policy', ...words, from, to], {
        env: { HOME: kit.folder },
      });
      const [path = '', tag = ''] = name.split(':');
      t.ok((await manifestAt(registry.origin, path, tag)).equals(artifact.bytes), name);
    }
  });
}

t.test('crane pushes all of a layout, signatures too', async (t) => {
  const crane = requireTool(t, 'crane');
  const kit = await openSite(t);
  const registry = await startRegistry(t, 'distribution', join(kit.folder, 'registry'));
  if (crane === undefined || registry === undefined) return;
  await kit.report(list, 'layout', '--format', 'oci');
  const to = `${registry.address}/all:1`;
  await mustRun(crane, ['push', '--index', '--insecure', join(kit.folder, 'layout'), to], {
    env: { HOME: kit.folder },
  });
  for (const each of [image, multi, signature]) {
    const { digest } = each.descriptor;
    t.ok((await manifestAt(registry.origin, 'all', digest)).equals(each.bytes), digest);
  }
});
