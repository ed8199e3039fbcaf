import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { signatureOf, startAt, writeConfiguration } from '../support/app-kit.ts';
import { buildImage, buildIndex } from '../support/build-image.ts';
import { makeExportKit } from '../support/export-kit.ts';
import { runInProcess } from '../support/run-assay.ts';
import { openScriptedRegistry } from '../support/scripted-registry.ts';

const app = buildImage({ name: 'app' });
const multi = buildIndex({ name: 'multi' });
const { digest } = app.descriptor;
const list = `images: ['reg/team/app:v1', 'reg/team/multi:v2', 'reg/team/app@${digest}']`;

/** A site that exports from an upstream whose name has no dot, and one that imports. */
async function openSites(t: Test) {
  const registry = await openScriptedRegistry(t);
  registry.put('team/app', app, 'v1');
  registry.put('team/app', signatureOf(app.descriptor));
  registry.put('team/multi', multi, 'v2');
  registry.put('team/multi', signatureOf(multi.descriptor));
  const rules = [{ repositories: ['reg/**', 'other/**'], require: { signedBy: 'acme' } }];
  const kit = await makeExportKit(
    writeConfiguration(t, { upstreams: { reg: registry.origin }, rules }),
  );
  const zone = join(kit.folder, 'zone.yaml');
  const any = { host: '127.0.0.1', port: 0 };
  const configuration = {
    listen: any,
    admin: any,
    airgap: { store: './store' },
    trust: { store: './trust', offline: true },
    trustPolicy: './policy.yaml',
    storage: { path: './zone' },
  };
  writeFileSync(zone, JSON.stringify(configuration));
  const take = (from: string, ...words: readonly string[]) =>
    runInProcess(
      ['airgap', 'import', '--config', zone, '--format', 'oci', join(kit.folder, from)].concat(
        words,
      ),
    );
  return { kit, zone, take };
}

for (const [format, out] of [
  ['oci', 'layout'],
  ['oci-tar', 'layout.tar'],
] as const) {
  t.test(`what is exported as ${format} is imported under its own names`, async (t) => {
    const { kit, zone, take } = await openSites(t);
    t.equal((await kit.report(list, out, '--format', format)).code, 0);
    const run = await take(out);
    t.equal(run.code, 0, run.stderr);
    t.match(run.stdout, /trusted +reg\/team\/app:v1 /);
    t.match(run.stdout, new RegExp(`trusted +reg/team/app@${digest} `));
    t.match(run.stdout, /trusted +reg\/team\/multi:v2 /);
    t.equal(run.stdout.match(/^trusted/gm)?.length, 3, 'each of them once');
    const { ask } = await startAt(t, zone);
    t.ok((await ask('reg/team/app/manifests/v1')).body.equals(app.bytes));
    t.ok((await ask('reg/team/multi/manifests/v2')).body.equals(multi.bytes));
  });
}

t.test('an upstream that is wished stands in place of the own one', async (t) => {
  const { kit, take } = await openSites(t);
  await kit.report(list, 'layout', '--format', 'oci');
  for (const wish of ['other', 'other/unused']) {
    const run = await take('layout', '--verify-only', '--repository', wish);
    t.equal(run.code, 0, run.stderr);
    const names = run.stdout.match(/(?<=^trusted +)\S+/gm) ?? [];
    t.strictSame(
      names,
      ['other/team/app:v1', 'other/team/multi:v2', `other/team/app@${digest}`],
      wish,
    );
  }
});
