import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { buildIndex } from '../support/build-image.ts';
import { startFakeRegistry } from '../support/fake-registry.ts';
import { signedBy } from '../support/sign-notation.ts';
import { get, loadStarter, startApp } from '../support/start-starter.ts';
import { makeChain } from '../support/test-ca.ts';

t.test('what was pulled once needs no upstream again, also after a restart', async (t) => {
  const chain = makeChain();
  const index = buildIndex();
  const registry = await startFakeRegistry();
  t.teardown(() => registry.close());
  registry.put('app', index, 'v1');
  registry.put('app', signedBy({ of: index.descriptor, format: 'jws', chain }));

  const starter = await loadStarter(t);
  const folder = join(starter.storage.path, '..');
  const policy = [
    'version: 1',
    'identities:',
    '  acme: { notation: { trustStores: ["ca:acme"], trustedIdentities: ["*"], level: strict } }',
    'rules:',
    '  - { repositories: ["hub/**"], require: { signedBy: acme } }',
  ];
  await writeFile(join(folder, 'policy.yaml'), policy.join('\n'));
  await mkdir(join(folder, 'trust/x509/ca/acme'), { recursive: true });
  await writeFile(join(folder, 'trust/x509/ca/acme/root.pem'), chain.root.pem);
  const config = {
    ...starter,
    upstreams: { hub: { url: registry.url, plainHttp: 'allowed' as const } },
    trustPolicy: join(folder, 'policy.yaml'),
    trust: { ...starter.trust, store: join(folder, 'trust') },
  };
  const [child] = index.children;
  const references = ['v1', index.descriptor.digest, String(child?.descriptor.digest)];

  const first = await startApp(t, config);
  for (const reference of references) {
    t.equal((await get(`${first.oci}/v2/hub/app/manifests/${reference}`)).status, 200, reference);
  }
  await first.app.close();
  registry.forgetRequests();

  const second = await startApp(t, config);
  for (const reference of references) {
    const answer = await get(`${second.oci}/v2/hub/app/manifests/${reference}`);
    t.equal(answer.status, 200, reference);
  }
  t.equal(registry.count('GET', /manifests/), 0);
  t.equal(registry.count('GET', /referrers/), 0);
});
