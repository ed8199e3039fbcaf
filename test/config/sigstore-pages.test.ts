import { generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '../../src/config/load.ts';
import { lintTrustPolicy } from '../../src/policies/lint.ts';
import { loadTrustPolicy } from '../../src/policies/trust-policy.ts';

const docs = join(import.meta.dirname, '..', '..', 'docs');
/** Pages, and how many policies and configurations they have at least. */
const pages = [
  { page: 'sigstore.md', policies: 5, configurations: 3 },
  { page: 'attestations.md', policies: 5, configurations: 0 },
] as const;
const at = new Date('2026-11-01T00:00:00Z');

const keys = new Map<string, string>();

/** Each file is another key, and so is each URI. */
async function readKey(path: string): Promise<string> {
  const { publicKey } = generateKeyPairSync('ed25519');
  const pem = keys.get(path) ?? (publicKey.export({ type: 'spki', format: 'pem' }) as string);
  keys.set(path, pem);
  return pem;
}

for (const { page, ...least } of pages) {
  const text = await readFile(join(docs, page), 'utf8');
  const blocks = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, block = '']) => block);
  const policies = blocks.filter((block) => block.startsWith('version: 1\n'));
  const configurations = blocks.filter((block) => block.startsWith('upstreams:\n'));

  t.test(`${page} has policies and configurations, and nothing else in YAML`, async (t) => {
    t.equal(policies.length + configurations.length, blocks.length);
    t.ok(policies.length >= least.policies, `${policies.length} policies`);
    t.ok(configurations.length >= least.configurations, `${configurations.length} of them`);
  });

  for (const [index, policy] of policies.entries()) {
    t.test(`policy ${index + 1} of ${page} loads, and nothing in it is in doubt`, async (t) => {
      const loaded = await loadTrustPolicy(policy, page, readKey, readKey);
      t.ok(loaded.rules.length > 0);
      t.same(lintTrustPolicy(loaded, { at }), []);
    });
  }

  for (const [index, configuration] of configurations.entries()) {
    t.test(`configuration ${index + 1} of ${page} loads`, async (t) => {
      const folder = t.testdir({ 'assay.yaml': configuration, 'vault-token': 'hvs.a' });
      const { upstreams } = await loadConfig(join(folder, 'assay.yaml'));
      t.ok(Object.keys(upstreams).length > 0);
    });
  }
}
