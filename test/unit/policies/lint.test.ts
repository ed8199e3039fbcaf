import t from 'tap';
import { lintTrustPolicy } from '../../../src/policies/lint.ts';
import { loadPolicy } from '../../support/policy-kit.ts';

const at = new Date('2026-11-23T00:00:00Z');
const listed =
  '{ notation: { trustStores: ["ca:x"], trustedIdentities: ["x509.subject: C=US, ST=WA, O=x"] } }';

async function findingsOf(rules: string, identity = listed, upstreams?: readonly string[]) {
  const policy = await loadPolicy(`version: 1\nidentities: { x: ${identity} }\nrules:\n${rules}`);
  const options = upstreams === undefined ? { at } : { at, upstreams };
  return lintTrustPolicy(policy, options).map(({ where, message }) => `${where}: ${message}`);
}

const rule = '  - { repositories: [ghcr.io/acme/**], require: { signedBy: x } }\n';

t.test('a sound policy has no findings', async (t) => {
  t.same(await findingsOf(rule, listed, ['ghcr.io']), []);
});

t.test('an exemption and an audit mode that ended are told', async (t) => {
  const past = '2026-11-01T00:00:00Z';
  const rules = [
    `  - { repositories: [a/b], exempt: { reason: r, owner: sre, until: ${past} } }`,
    `  - { repositories: [a/c], require: { signedBy: x }, mode: audit, until: ${past} }`,
  ];
  t.match(await findingsOf(rules.join('\n')), [
    /^rule 1 \(line 4\): the exemption \(sre\) ended 2026-11-01T00:00:00.000Z: the rule is as if absent$/,
    /^rule 2 \(line 5\): audit mode ended 2026-11-01/,
  ]);
});

t.test('an end in the future is no finding, one right now is', async (t) => {
  const exempt = (until: string) =>
    `${rule}  - { repositories: [a/b], exempt: { reason: r, owner: o, until: ${until} } }`;
  t.same(await findingsOf(exempt('2026-11-23T00:00:01Z')), []);
  t.equal((await findingsOf(exempt('2026-11-23T00:00:00Z'))).length, 1);
});

t.test('a rule that an earlier one leaves nothing to is told', async (t) => {
  const shadowed = [
    'repositories: [ghcr.io/acme/app, ghcr.io/acme/lib/*]',
    'repositories: [ghcr.io/acme/**]',
    `digests: ["sha256:${'0'.repeat(64)}"], repositories: [ghcr.io/acme/x]`,
  ];
  for (const scope of shadowed) {
    t.match(await findingsOf(`${rule}  - { ${scope}, require: { signedBy: x } }`), [
      /^rule 2 \(line 5\): never decides: rule 1 \(line 4\) matches all of it first$/,
    ]);
  }
});

t.test('a rule that is left something is no finding', async (t) => {
  const rules = [
    `${rule}  - { repositories: [ghcr.io/**], require: { signedBy: x } }`,
    `${rule}  - { digests: ["sha256:${'0'.repeat(64)}"], require: { signedBy: x } }`,
    `  - { digests: ["sha256:${'0'.repeat(64)}"], require: { signedBy: x } }\n${rule}`,
    `  - { repositories: ["**"], exempt: { reason: r, owner: o, until: 2027-01-01T00:00:00Z } }\n${rule}`,
  ];
  for (const text of rules) t.same(await findingsOf(text), []);
});

t.test('a rule for a digest anywhere is shadowed by a rule for everything', async (t) => {
  const rules = `  - { repositories: ["**"], require: { signedBy: x } }
  - { digests: ["sha256:${'0'.repeat(64)}"], require: { signedBy: x } }`;
  t.match(await findingsOf(rules), [/rule 2 .*never decides/]);
});

t.test('an identity that no rule refers to is told', async (t) => {
  const exempt =
    '  - { repositories: [a/b], exempt: { reason: r, owner: o, until: 2027-01-01T00:00:00Z } }';
  t.same(await findingsOf(exempt), ['identity x: no rule refers to it']);
});

t.test('an identity that trusts everybody, or vouches for nobody, is told', async (t) => {
  const identity = (more: string) =>
    `{ notation: { trustStores: ["ca:x"], trustedIdentities: ["*"]${more} } }`;
  t.match(await findingsOf(rule, identity('')), [/^identity x: "\*" trusts everybody/]);
  for (const more of [', level: audit', ', override: { authenticity: log }']) {
    t.match(await findingsOf(rule, identity(more)), [/^identity x: .*vouches for nobody/]);
  }
  t.match(await findingsOf(rule, '{ notation: { level: skip } }'), [/vouches for nobody/]);
});

t.test('a pattern that no name of ours can match is told', async (t) => {
  const upper = '  - { repositories: [ghcr.io/Acme/*], require: { signedBy: x } }';
  t.match(await findingsOf(upper), [/ghcr.io\/Acme\/\* never matches: names are in lower case/]);
  t.match(await findingsOf(rule, listed, ['docker.io']), [/there is no upstream ghcr.io/]);
  const wild = '  - { repositories: ["*/acme/**"], require: { signedBy: x } }';
  t.same(await findingsOf(wild, listed, ['docker.io']), []);
});

const tagged = (tags: string) =>
  `  - { repositories: [ghcr.io/acme/**], require: { signedBy: x }, tags: { ${tags} } }`;
const allowed = (until: string) =>
  `rollback: deny, allowedRollbacks: [{ digest: "sha256:${'1'.repeat(64)}", reason: r, owner: sre, until: ${until} }]`;

t.test('an allowed rollback that ended is told, one that lasts is not', async (t) => {
  t.same(await findingsOf(tagged(allowed('2026-11-23T00:00:01Z'))), []);
  t.match(await findingsOf(tagged(allowed('2026-11-23T00:00:00Z'))), [
    /^rule 1 \(line 4\): the allowed rollback to sha256:1+ \(sre\) ended 2026-11-23.*as if absent$/,
  ]);
});

t.test('tag rules that ask for nothing are told', async (t) => {
  t.match(await findingsOf(tagged('rollback: allow')), [/asks for nothing/]);
  t.same(await findingsOf(tagged('rollback: allow, maxSignatureAge: 1d')), []);
});

const keyless = (more: string) =>
  `{ sigstore: { issuer: https://token.actions.githubusercontent.com, ${more} } }`;

t.test('a Sigstore identity that says exactly who has no findings', async (t) => {
  t.same(await findingsOf(rule, keyless('subject: a@acme.example')), []);
});

t.test('a workflow of GitHub that says for which repository it ran has no findings', async (t) => {
  const subject =
    'subject: https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main';
  for (const claim of [
    'repository: https://github.com/acme/app',
    'sourceRepositoryOwnerIdentifier: "1"',
  ]) {
    t.same(await findingsOf(rule, keyless(`${subject}, claims: { ${claim} }`)), []);
  }
});

const doubtful = [
  [
    'subject: https://github.com/acme/app/.github/workflows/x.yml@refs/heads/main',
    /reusable: add claims.repository/,
  ],
  [
    'subjectPattern: "https://github\\\\.com/acme/.*", claims: { trigger: push }',
    /reusable: add claims.repository/,
  ],
  ['subjectPattern: ".*"', /^identity x: pattern \.\* matches everything$/],
  ['subjectPattern: "https://github\\\\.com/acme.*"', /also matches names that begin like/],
  ['subject: a, claims: { refPattern: ".*/main" }', /says nothing of how the text begins/],
  ['subject: a, certificateTransparency: not-required', /without certificateTransparency/],
  ['subject: a, transparencyLog: not-required, timestamps: required', /without transparencyLog/],
] as const;

for (const [more, message] of doubtful) {
  t.test(`a Sigstore identity with ${more} is told`, async (t) => {
    t.match(await findingsOf(rule, keyless(more)), [message]);
  });
}

t.test('a pattern over several build services is told', async (t) => {
  const identity = '{ sigstore: { issuerPattern: "https://(?:token|gitlab).*", subject: a } }';
  t.match(await findingsOf(rule, identity), [/issuers of several build services/]);
});

const attested = (more: string) =>
  `  - { repositories: [ghcr.io/acme/**], require: { attestation: { signedBy: x, ${more} } } }\n`;
const slsaType = 'predicateTypes: ["https://slsa.dev/provenance/v1"]';
const scanType = 'predicateTypes: ["https://cosign.sigstore.dev/attestation/vuln/v1"]';

const doubtfulAttestations = [
  [slsaType, /^rule 1 \(line 4\): attestation https.*: without conditions or where/],
  [`${slsaType}, conditions: { slsa.builder: { idPattern: ".*" } }`, /matches everything/],
  [
    `${slsaType}, conditions: { slsa.source: { repository: r } }`,
    /nothing is asked of its builder/,
  ],
  [`${scanType}, conditions: { vuln.maxSeverity: low }`, /without maxAge an old scan/],
  [`${slsaType}, where: 'predicate.id.matches("acme")'`, /matches\("acme"\) looks anywhere/],
] as const;

for (const [more, message] of doubtfulAttestations) {
  t.test(`an attestation with ${more} is told`, async (t) => {
    t.match(await findingsOf(attested(more)), [message]);
  });
}

t.test('an attestation whose builder is named has no findings', async (t) => {
  t.same(await findingsOf(attested(`${slsaType}, conditions: { slsa.builder: b }`)), []);
});
