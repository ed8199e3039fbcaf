import { cp, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { get, loadStarter, repositoryRoot, startApp } from '../support/start-starter.ts';

/** The starter with policy and trust store in a folder of its own, where they can be changed. */
async function startChangeable(t: Test) {
  const starter = await loadStarter(t);
  const folder = join(starter.storage.path, '..', 'config');
  await cp(join(repositoryRoot, 'config', 'trust'), join(folder, 'trust'), { recursive: true });
  await cp(join(repositoryRoot, 'config', 'keys'), join(folder, 'keys'), { recursive: true });
  await cp(starter.trustPolicy, join(folder, 'policy.yaml'));
  const policyFile = join(folder, 'policy.yaml');
  const started = await startApp(t, {
    ...starter,
    trustPolicy: policyFile,
    trust: { ...starter.trust, store: join(folder, 'trust') },
  });
  return {
    ...started,
    policyFile,
    anchor: join(folder, 'trust/x509/ca/demo/demo-root.pem'),
    status: async (tag: string) =>
      (await get(`${started.oci}/v2/demo/app/manifests/${tag}`)).status,
    metric: async (name: string) => {
      const text = await (await fetch(`${started.admin}/metrics`)).text();
      return text.split('\n').filter((line) => line.startsWith(name));
    },
  };
}

async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

const strangersOnly = [
  'version: 1',
  'revision: 2',
  'identities:',
  '  stranger:',
  '    notation:',
  '      trustStores: ["ca:demo"]',
  '      trustedIdentities: ["x509.subject: C=US, ST=WA, O=Somebody else"]',
  '      level: strict',
  'rules:',
  '  - { repositories: ["demo/**"], require: { signedBy: stranger } }',
].join('\n');

t.test(
  'a changed policy file is in force for the next pull, also of what was just served',
  async (t) => {
    const { app, policyFile, status, metric } = await startChangeable(t);
    t.equal(await status('signed-jws'), 200);
    await replace(policyFile, strangersOnly);
    await app.lookForChanges();
    t.equal(await status('signed-jws'), 403);
    t.match(await metric('assay_policy_info'), [/revision="2"\} 1$/]);
  },
);

t.test('a policy that does not load changes nothing, and is told until it does', async (t) => {
  const { app, admin, policyFile, status, metric, lines } = await startChangeable(t);
  const good = await readFile(policyFile, 'utf8');
  await replace(policyFile, 'version: 1\nrules: []\n');
  await app.lookForChanges();
  t.equal(await status('signed-jws'), 200);
  t.equal(await status('unsigned'), 403);
  t.same(await metric('assay_reload_failures_total'), [
    'assay_reload_failures_total{what="policy"} 1',
  ]);
  t.ok(lines.some(({ level, what }) => level === 'error' && what === 'policy'));
  const ready = await fetch(`${admin}/readyz`);
  t.equal(ready.status, 200);
  t.match(await ready.text(), /a change does not load: .*policy\.yaml:2:/);
  await replace(policyFile, good);
  await app.lookForChanges();
  t.notMatch(await (await fetch(`${admin}/readyz`)).text(), 'does not load');
});

t.test('a trust anchor that is removed is trusted no longer', async (t) => {
  const { app, anchor, status, lines } = await startChangeable(t);
  t.equal(await status('signed-jws'), 200);
  await rename(anchor, join(anchor, '..', '..', '..', 'away.pem'));
  await app.lookForChanges();
  t.not(await status('signed-jws'), 200);
  t.ok(lines.some(({ level, because }) => level === 'warn' && /ca:demo/.test(String(because))));
});

t.test('a trust anchor that can not be read changes nothing', async (t) => {
  const { app, anchor, status, metric } = await startChangeable(t);
  await replace(anchor, 'no certificate');
  await app.lookForChanges();
  t.equal(await status('signed-jws'), 200);
  t.same(await metric('assay_reload_failures_total'), [
    'assay_reload_failures_total{what="trust"} 1',
  ]);
});

t.test('verdicts and the key that seals them survive a restart', async (t) => {
  const config = await loadStarter(t);
  const first = await startApp(t, config);
  t.equal((await get(`${first.oci}/v2/demo/app/manifests/multi-arch`)).status, 200);
  const index = await (await get(`${first.oci}/v2/demo/app/manifests/multi-arch`)).json();
  await first.app.close();
  const second = await startApp(t, config);
  const [child] = (index as { manifests: { digest: string }[] }).manifests;
  const answer = await get(`${second.oci}/v2/demo/app/manifests/${child?.digest}`);
  t.equal(answer.status, 200, 'a child of a verified index needs no new verification');
  t.equal(second.lines.filter(({ message }) => message === 'verdict').length, 0);
  const metrics = await (await fetch(`${second.admin}/metrics`)).text();
  t.match(metrics, /^assay_sealed_entries_rejected_total 0$/m);
});
