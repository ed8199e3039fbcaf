import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { signatureOf, writeConfiguration } from '../support/app-kit.ts';
import { buildImage } from '../support/build-image.ts';
import { writeFullBundle } from '../support/bundle-kit.ts';
import { makeExportKit } from '../support/export-kit.ts';
import { runInProcess } from '../support/run-assay.ts';
import { openScriptedRegistry } from '../support/scripted-registry.ts';
import { writeLayout } from '../support/write-layout.ts';
import { makeZone } from '../support/zone-kit.ts';

const app = buildImage({ name: 'app' });
const signature = signatureOf(app.descriptor);
const list = 'images: [reg/team/app:v1]';

async function openSite(t: Test) {
  const registry = await openScriptedRegistry(t);
  registry.put('team/app', app, 'v1');
  registry.put('team/app', signature);
  return makeExportKit(writeConfiguration(t, { upstreams: { reg: registry.origin } }));
}

t.test('an export that can not be meant is a usage error that says what to do', async (t) => {
  const kit = await openSite(t);
  t.equal((await kit.run(list, '1')).code, 0);
  const again = await kit.run(list, '1');
  t.match(again, { code: 64, stderr: /\/1 holds a bundle already: export into a folder of/ });
  mkdirSync(join(kit.folder, 'used', 'photos'), { recursive: true });
  const used = await kit.run(list, 'used');
  t.match(used, { code: 64, stderr: /\/used is not empty: export into a folder of its own/ });
  const since = await kit.run(list, '2', '--since', '99');
  t.match(since, {
    code: 64,
    stderr: /bundle 99 of stream .* is not known in .*, where the last one was 1: name another/,
  });
  const typed = await kit.run(list, '2', '--since', 'ABCD'.repeat(60));
  t.match(typed, { code: 64, stderr: /what was typed is no receipt/ });
  t.equal((await kit.run(list, 'x.tar', '--format', 'oci-tar')).code, 0);
  const taken = await kit.run(list, 'x.tar', '--format', 'oci-tar');
  t.match(taken, { code: 64, stderr: /x\.tar is there already: name another file/ });
});

t.test('a receipt that is a folder is no receipt', async (t) => {
  const kit = await openSite(t);
  const run = await kit.run(list, '1', '--since', kit.folder);
  t.match(run, { code: 64, stderr: /the receipt can not be read: .* is no regular file/ });
});

t.test('so are folders of a bundle that are not there, or are of two bundles', async (t) => {
  const zone = makeZone(t);
  const images = [{ name: 'docker.io/library/app:1.0', artifact: app, evidence: [signature] }];
  const one = await writeFullBundle({ folder: join(zone.folder, '1'), images });
  const two = await writeFullBundle({
    folder: join(zone.folder, '2'),
    images,
    sequence: 2,
    previous: one.asPrevious,
  });
  const take = (...words: readonly string[]) =>
    runInProcess(['airgap', 'import', '--config', zone.file, ...words]);
  const none = { code: 64, stderr: /there is no folder .*\/nope: is its name right, and its / };
  t.match(await take(join(zone.folder, 'nope')), none);
  t.match(await take(one.folder, join(zone.folder, 'nope')), none);
  t.match(await runInProcess(['airgap', 'inspect', join(zone.folder, 'nope')]), none);
  t.match(await take(one.folder, two.folder), { code: 64, stderr: /import one after the other/ });
  const odd = await take(one.folder, '--root', zone.file);
  t.match(odd, { code: 78, stderr: /assay\.yaml is no root to begin with: the root metadata/ });
});

t.test('so is the import of a layout that is nowhere, or is of nobody', async (t) => {
  const { file, folder } = makeZone(t);
  const layout = join(folder, 'layout');
  writeLayout(layout, [{ artifact: app, tag: '1.0' }, { artifact: signature }]);
  const words = ['airgap', 'import', '--config', file, '--format', 'oci'];
  const unclear = await runInProcess([...words, layout]);
  t.match(unclear, { code: 64, stderr: /"1\.0" is of: give --repository UPSTREAM\/PATH/ });
  const odd = await runInProcess([...words, '--repository', 'A b', layout]);
  t.match(odd, { code: 64, stderr: /--repository "?A b"? is no UPSTREAM\/PATH/ });
  const none = await runInProcess([...words, join(folder, 'none')]);
  t.match(none, { code: 64, stderr: /there is no .*\/none: name the folder of an image layout/ });
});

t.test('and a publication to what is no registry', async (t) => {
  const zone = makeZone(t);
  const evidence = [signature];
  const images = [{ name: 'docker.io/library/app:1.0', artifact: app, evidence }];
  await zone.import(await writeFullBundle({ folder: join(zone.folder, 'in'), images }));
  const words = ['airgap', 'publish', '--config', zone.file];
  const to = (text: string) => runInProcess([...words, '--to', text]);
  t.match(await to('nope'), { code: 64, stderr: /--to "nope" is no registry: write https:/ });
  t.match(await to('https://bot:secret@x.example'), { code: 64, stderr: /^(?!.*secret)/s });
  t.match(await to('https://x.example/A'), { code: 64, stderr: /prefix of ".*" is no name/ });
  t.match(await to('http://127.0.0.1:1'), { code: 64, stderr: /only with --plain-http/ });
  t.match(await runInProcess(words), { code: 64, stderr: /give --to, or airgap\.publish\.url/ });
  const down = await runInProcess([...words, '--plain-http', '--to', 'http://127.0.0.1:1']);
  t.match(down, { code: 2, stdout: /failed +docker\.io\/library\/app:1\.0/ });
});

t.test('a registry that the configuration names badly is a mistake there', async (t) => {
  const publish = { url: 'http://x.example' };
  const zone = makeZone(t, { airgap: { publish } });
  const run = await runInProcess(['airgap', 'publish', '--config', zone.file]);
  t.match(run, { code: 78, stderr: /airgap\.publish/ });
});
