import { generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { conditionNames } from '../../src/policies/conditions/index.ts';
import { lintTrustPolicy } from '../../src/policies/lint.ts';
import { claimNames } from '../../src/policies/sigstore-certificate.ts';
import { loadTrustPolicy } from '../../src/policies/trust-policy.ts';

const page = await readFile(
  join(import.meta.dirname, '..', '..', 'docs', 'trust-policy.md'),
  'utf8',
);
const policies = [...page.matchAll(/```yaml\n(version: 1\n.*?)```/gs)].map(([, text = '']) => text);
const keys = new Map<string, string>();

/** Each file is another key. */
async function readKey(path: string): Promise<string> {
  const { publicKey } = generateKeyPairSync('ed25519');
  const pem = keys.get(path) ?? (publicKey.export({ type: 'spki', format: 'pem' }) as string);
  keys.set(path, pem);
  return pem;
}

t.test('the page has policies', async (t) => {
  t.ok(policies.length >= 5, `${policies.length} of them`);
});

for (const [index, text] of policies.entries()) {
  t.test(`policy ${index + 1} of the page loads, and nothing in it is in doubt`, async (t) => {
    const policy = await loadTrustPolicy(text, 'docs/trust-policy.md', readKey);
    t.ok(policy.rules.length > 0);
    t.same(lintTrustPolicy(policy, { at: new Date('2026-06-01T00:00:00Z') }), []);
  });
}

t.test('the page names every condition and every claim', async (t) => {
  t.ok(conditionNames.length >= 7);
  for (const name of conditionNames) t.match(page, `| \`${name}\``, name);
  for (const name of claimNames.keys()) t.match(page, `\`${name}\``, name);
});
