import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import t from 'tap';
import { loadBasis } from '../../src/compose/load-basis.ts';
import { readPolicyFile } from '../../src/compose/policy-file.ts';
import { readImageList } from '../../src/compose/image-list.ts';
import { loadConfig } from '../../src/config/load.ts';
import { lintTrustPolicy } from '../../src/policies/lint.ts';
import { loadTrustPolicy } from '../../src/policies/trust-policy.ts';

const root = join(import.meta.dirname, '..', '..');
const environment = { REGISTRY_PASSWORD: 'from the environment' };

const yamlFiles = (await readdir(join(root, 'config'), { recursive: true }))
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => join('config', name));
const isPolicy = (file: string): boolean => /(?:trust-policy|\.policy)\.yaml$/.test(file);
// The starter has what the catalogue has: a test of its own compares them.
const policies = yamlFiles.filter(
  (file) => isPolicy(file) && !file.startsWith(join('config', 'catalogue')),
);
const isImageList = (file: string): boolean => file.endsWith('images.yaml');
const configs = yamlFiles.filter((file) => !isPolicy(file) && !isImageList(file));

t.test('the examples are where they are looked for', async (t) => {
  t.ok(configs.length >= 5, configs.join(', '));
  t.ok(policies.length >= 3, policies.join(', '));
});

const used = new Set<string>();

for (const file of configs) {
  t.test(`${file} loads, with the policy and the trust store that it names`, async (t) => {
    const config = await loadConfig(join(root, file), { environment });
    const { policy, trust } = await loadBasis(config, async (path) => {
      used.add(relative(root, path));
    });
    t.ok(policy.rules.length > 0);
    for (const rule of policy.rules) {
      const stores = rule.kind === 'require' ? rule.trustStores : [];
      for (const store of stores) t.ok(trust.notationStore(store), `${store} is there`);
    }
  });
}

for (const file of policies) {
  t.test(`${file} loads, and a configuration uses it`, async (t) => {
    const policy = await readPolicyFile(join(root, file), async () => undefined);
    t.ok(policy.rules.length > 0);
    t.ok(used.has(file), 'used');
  });
}

for (const file of yamlFiles.filter(isImageList)) {
  t.test(`${file} loads, and names images of the starter`, async (t) => {
    const { upstreams } = await loadConfig(join(root, 'config', 'assay.yaml'), { environment });
    const images = await readImageList(join(root, file), Object.keys(upstreams));
    t.ok(images.length > 0);
  });
}

t.test('the examples have a list of images', async (t) => {
  t.ok(yamlFiles.some(isImageList));
});

t.test('the trust policy in the README loads', async (t) => {
  const text = await readFile(join(root, 'README.md'), 'utf8');
  const blocks = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, block = '']) => block);
  t.equal(blocks.length, 1);
  for (const block of blocks) {
    const policy = await loadTrustPolicy(block, 'README.md', async () => '');
    t.ok(policy.rules.length > 0);
    t.same(lintTrustPolicy(policy, { at: new Date('2026-11-01T00:00:00Z') }), []);
  }
});
