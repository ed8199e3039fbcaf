import t from 'tap';
import { PolicyError } from '../../../src/policies/policy-error.ts';
import { fiveIdentities, loadPolicy, loadRules, problemsIn } from '../../support/policy-kit.ts';

const rules = 'rules:\n  - { repositories: [a/**], require: { signedBy: a } }\n';
const identities = `identities:\n${fiveIdentities}\n`;

const allowed = (reason: string) =>
  `allowedRollbacks: [{ digest: "sha256:${'1'.repeat(64)}", reason: ${reason}, owner: o, until: 2030-01-01T00:00:00Z }]`;

t.test('a policy has its rules, revision and a digest of its meaning', async (t) => {
  const policy = await loadPolicy(`version: 1\nrevision: 7\n${identities}${rules}`);
  t.equal(policy.revision, 7);
  t.match(policy.digest, /^[0-9a-f]{64}$/);
  t.match(policy.rules, [{ kind: 'require', name: 'rule 1 (line 10)' }]);
  t.equal(
    (await loadRules('  - { repositories: [a/**], require: { signedBy: a } }')).revision,
    undefined,
  );
});

t.test('an identity demands what it says, and an unknown one nothing', async (t) => {
  const policy = await loadPolicy(`version: 1\n${identities}${rules}`);
  t.match(policy.requirementOf('a', 'a/b'), { name: 'a', notation: { trustStores: ['ca:a'] } });
  t.equal(policy.requirementOf('z', 'a/b'), undefined);
  t.equal(policy.requirementOf('constructor', 'a/b'), undefined);
});

t.test('the digest of a policy follows its meaning, not its text', async (t) => {
  const digest = async (text: string) => (await loadPolicy(text)).digest;
  const text = `version: 1\n${identities}${rules}`;
  const reordered = `${rules}# a remark\nversion: 1\n${identities}`;
  t.equal(await digest(reordered), await digest(text));
  const changed = [
    text.replace('a/**', 'b/**'),
    text.replace('ca:e', 'ca:f'),
    text.replace('signedBy: a }', 'signedBy: a }, tags: { rollback: deny }'),
    text.replace('signedBy: a }', 'signedBy: a }, tags: { rollback: warn }'),
    text.replace('signedBy: a }', `signedBy: a }, tags: { rollback: warn, ${allowed('r')} }`),
    text.replace('signedBy: a }', `signedBy: a }, tags: { rollback: warn, ${allowed('s')} }`),
    text.replace('signedBy: a }', 'signedBy: a }, tags: { maxSignatureAge: 90d }'),
    text.replace('signedBy: a }', 'signedBy: a }, tags: { maxSignatureAge: 91d }'),
    `${text}revision: 1\n`,
    text.replace('{ repositories: [a/**]', '{ covers: platforms, repositories: [a/**]'),
    `${text}  - { repositories: [a/**], require: { signedBy: b } }\n`,
    `${text}  - { repositories: [a/**], exempt: { reason: r, owner: o, until: 2030-01-01T00:00:00Z } }\n`,
  ];
  const digests = await Promise.all([text, ...changed].map(digest));
  t.equal(new Set(digests).size, digests.length);
});

t.test('the order of rules is meaning', async (t) => {
  const one = '  - { repositories: [a/**], require: { signedBy: a } }';
  const two = '  - { repositories: [a/*], require: { signedBy: b } }';
  const [first, second] = await Promise.all([
    loadRules(`${one}\n${two}`),
    loadRules(`${two}\n${one}`),
  ]);
  t.not(first?.digest, second?.digest);
});

t.test('all that is wrong is reported at once, in order, with line, column and path', async (t) => {
  const text = `version: 2
revision: -1
extra: 1
identities:
  a: { notation: { trustStores: ["acme"], trustedIdentities: ["*"] } }
  b: { gpg: {} }
rules:
  - { repositories: [ghcr.io], require: { signedBy: a } }
  - { repositories: [a/**], require: { signedBy: nobody } }
  - repositories: [a/**]
    require: { signedBy: a }
    mode: audit
    mode: audit
`;
  t.match(await problemsIn(text), [
    /^policy.yaml:1:10: version: must be 1$/,
    /^policy.yaml:2:11: revision: must be a whole number/,
    /^policy.yaml:3:1: extra: is not a known key/,
    /^policy.yaml:5:34: identities.a.notation.trustStores\[0\]: "acme" is no trust store/,
    /^policy.yaml:6:8: identities.b.gpg: is not supported by this version/,
    /^policy.yaml:8:22: rules\[0\].repositories\[0\]: "ghcr.io" matches no repository: write ghcr.io\/\*\*/,
    /^policy.yaml:9:50: rules\[1\].require.signedBy: no identity has the name "nobody"; there are "a", "b"/,
    /^policy.yaml:12:11: rules\[2\].mode: audit must carry until/,
    /^policy.yaml:13:5: rules\[2\].mode: stands twice: it is on line 12/,
  ]);
});

t.test('variables are not expanded in a policy', async (t) => {
  const text = `version: 1\n${identities}${rules}`.replace('signedBy: a', 'signedBy: "${HOME}"');
  t.match(await problemsIn(text), [/no identity has the name "\$\{HOME\}"/]);
});

const bad = [
  ['', /must be a mapping/],
  ['- x', /must be a mapping/],
  ['a: "', /does not parse/],
  ['version: 1', /rules is missing/],
  ['rules: []', /version is missing/],
  ['version: 1\nrules: []', /rules: must not be empty/],
  ['version: "1"\nrules: []', /version: must be 1/],
  ['version: {}\nrules: []', /version: must be 1/],
  ['version: 1\nrules: {}', /rules: must be a list/],
  ['version: 1\nrules: [{}]', /exactly one of require and exempt/],
] as const;

for (const [text, problem] of bad) {
  t.test(`refused: ${JSON.stringify(text)}`, async (t) => {
    const messages = await problemsIn(text);
    t.match(messages.join('\n'), problem);
  });
}

t.test('what does not load is an error with its messages and a stable code', async (t) => {
  const error = await loadPolicy('version: 1').catch((thrown: unknown) => thrown);
  t.type(error, PolicyError);
  t.match(error, {
    code: 'POLICY_MALFORMED',
    messages: ['policy.yaml:1:1: rules is missing'],
    message: 'the trust policy does not load:\npolicy.yaml:1:1: rules is missing',
  });
});

t.test('a policy file is read by the path that is written in the policy', async (t) => {
  const statement = {
    name: 'x',
    registryScopes: ['a/b'],
    signatureVerification: { level: 'strict' },
    trustStores: ['ca:x'],
    trustedIdentities: ['*'],
  };
  const files = { 'sub/tp.json': JSON.stringify({ version: '1.0', trustPolicies: [statement] }) };
  const text = `version: 1\nidentities: { a: { notation: { policyFile: sub/tp.json } } }\n${rules}`;
  const policy = await loadPolicy(text, files);
  t.match(policy.requirementOf('a', 'a/b'), { notation: { trustStores: ['ca:x'] } });
  t.equal(policy.requirementOf('a', 'a/c'), undefined);
  t.match(policy.rules, [{ trustStores: ['ca:x'] }]);
});

const github = '{ issuer: https://token.actions.githubusercontent.com, subject: a@acme.example';
const sigstore = (more: string, attestation: string) => `version: 1
identities:
  ci: { sigstore: ${github}${more} } }
  other: { sigstore: ${github}, root: unused } }
rules:
  - repositories: [ghcr.io/acme/**]
    require: { allOf: [{ signedBy: ci }, { attestation: ${attestation} }] }
`;
const attestation =
  '{ predicateTypes: ["https://slsa.dev/provenance/v1"], signedBy: ci, where: predicate.a == 1 }';

t.test('a rule knows the roots and the attestations that it refers to', async (t) => {
  const policy = await loadPolicy(sigstore(', root: private', attestation));
  t.match(policy.rules, [
    {
      identities: ['ci'],
      sigstoreRoots: ['private'],
      trustStores: [],
      attestations: [{ signedBy: 'ci', digest: /^[0-9a-f]{64}$/ }],
    },
  ]);
  t.match(policy.requirementOf('ci', 'ghcr.io/acme/app'), {
    family: 'sigstore',
    name: 'ci',
    sigstore: { root: 'private' },
  });
});

t.test('the digest of a rule follows its identities and attestations', async (t) => {
  const digestOf = async (text: string) => (await loadPolicy(text)).rules[0]?.digest;
  const text = sigstore('', attestation);
  const changed = [
    text.replace('a@acme', 'b@acme'),
    sigstore(', root: private', attestation),
    text.replace('a == 1', 'a == 2'),
    text.replace('provenance/v1', 'provenance/v0.2'),
    text.replace('{ signedBy: ci }, {', '{'),
  ];
  const digests = await Promise.all([text, ...changed].map(digestOf));
  t.equal(new Set(digests).size, digests.length);
  t.equal(await digestOf(text.replace('root: unused', 'root: other')), digests[0]);
});

t.test('an expression that does not compile is told with its line', async (t) => {
  const text = sigstore('', attestation.replace('predicate.a == 1', '"predicate.a =="'));
  t.match(await problemsIn(text), [
    /^policy.yaml:7:\d+: rules\[0\].require.allOf\[1\].attestation.where: "predicate.a ==" is no CEL/,
  ]);
});
