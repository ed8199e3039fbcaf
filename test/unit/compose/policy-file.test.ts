import { join } from 'node:path';
import t from 'tap';
import { readPolicyFile } from '../../../src/compose/policy-file.ts';

const trustPolicy = JSON.stringify({
  version: '1.0',
  trustPolicies: [
    {
      name: 'all',
      registryScopes: ['*'],
      signatureVerification: { level: 'strict' },
      trustStores: ['ca:acme'],
      trustedIdentities: ['*'],
    },
  ],
});
const policy = [
  'version: 1',
  'identities: { acme: { notation: { policyFile: notation/trustpolicy.json } } }',
  'rules: [{ repositories: ["demo/**"], require: { signedBy: acme } }]',
].join('\n');

t.test('files that a policy names are read from beside it, and told', async (t) => {
  const folder = t.testdir({
    'policy.yaml': policy,
    notation: { 'trustpolicy.json': trustPolicy },
  });
  const seen: string[] = [];
  const loaded = await readPolicyFile(
    join(folder, 'policy.yaml'),
    async (path) => void seen.push(path),
  );
  t.equal(loaded.rules.length, 1);
  t.same(seen, [join(folder, 'policy.yaml'), join(folder, 'notation', 'trustpolicy.json')]);
});

t.test('a policy that is not there is named', async (t) => {
  const file = join(t.testdir(), 'policy.yaml');
  const seen: string[] = [];
  await t.rejects(
    readPolicyFile(file, async (path) => void seen.push(path)),
    { code: 'POLICY_UNUSABLE', message: new RegExp(`the trust policy ${file} can not be read`) },
  );
  t.same(seen, [file], 'and can be waited for');
});

t.test('every mistake is a message of its own, with its place', async (t) => {
  const file = join(
    t.testdir({ 'policy.yaml': 'version: 2\nsurprise: 1\nrules: []\n' }),
    'policy.yaml',
  );
  const error: unknown = await readPolicyFile(file, async () => undefined).catch((e: unknown) => e);
  const { messages } = error as { messages: readonly string[] };
  t.ok(messages.length >= 2, messages.join('\n'));
  for (const message of messages) t.match(message, new RegExp(`^${file}:\\d+:\\d+: `));
});

t.test(
  'a file that the policy names and that is not there is a mistake of the policy',
  async (t) => {
    const folder = t.testdir({ 'policy.yaml': policy });
    await t.rejects(
      readPolicyFile(join(folder, 'policy.yaml'), async () => undefined),
      { code: 'POLICY_UNUSABLE', message: /policy\.yaml:2:\d+: .*trustpolicy\.json/ },
    );
  },
);
