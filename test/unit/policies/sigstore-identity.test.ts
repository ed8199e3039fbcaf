import { generateKeyPairSync, createHash } from 'node:crypto';
import t from 'tap';
import { meaningOfIdentity, canonicalText } from '../../../src/policies/canonical.ts';
import { readSigstore } from '../../../src/policies/sigstore-identity.ts';
import { placeOf } from '../../support/policy-kit.ts';

const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const pem = pair.publicKey.export({ type: 'spki', format: 'pem' }) as string;
const fingerprint = createHash('sha256')
  .update(pair.publicKey.export({ type: 'spki', format: 'der' }))
  .digest('hex');

async function read(yaml: string) {
  const { place, report, messages } = placeOf(yaml);
  const readFile = async (path: string) => {
    if (path === 'acme.pub') return pem;
    throw new Error(`there is no ${path}`);
  };
  const requirement = await readSigstore(place, { readFile }, report);
  return { requirement, messages: messages() };
}

const github = 'issuer: https://token.actions.githubusercontent.com';
const subject =
  'subject: https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main';

t.test('keys are demanded with one log, unless the policy says otherwise', async (t) => {
  const { requirement, messages } = await read('{ publicKeys: [acme.pub] }');
  t.same(messages, []);
  t.match(requirement, {
    signer: { kind: 'keys', keys: [{ name: 'acme.pub', keyFingerprint: fingerprint }] },
    minLogs: 1,
    minTimestamps: 0,
    minCertificateLogs: 0,
    root: 'default',
    signedAs: [],
  });
});

t.test('how old the root may be is said in a span, and part of the meaning', async (t) => {
  const { requirement, messages } = await read('{ publicKeys: [acme.pub], maxRootAge: 7d }');
  t.same(messages, []);
  t.equal(requirement?.maxRootAgeMs, 7 * 86_400_000);
  const meanings = ['', ', maxRootAge: 7d', ', maxRootAge: 8d'].map(async (age) => {
    const found = await read(`{ publicKeys: [acme.pub]${age} }`);
    if (found.requirement === undefined) throw new TypeError('no requirement');
    return canonicalText(meaningOfIdentity({ kind: 'sigstore', requirement: found.requirement }));
  });
  t.equal(new Set(await Promise.all(meanings)).size, 3);
});

t.test('keys alone need no root', async (t) => {
  const { requirement } = await read(
    '{ publicKeys: [acme.pub], transparencyLog: not-required, signedAs: [registry.k8s.io, a.io:5000/b/c] }',
  );
  t.match(requirement, { minLogs: 0, signedAs: ['registry.k8s.io', 'a.io:5000/b/c'] });
  t.equal(requirement?.root, undefined);
});

t.test('a certificate is demanded with one log and one certificate log', async (t) => {
  const { requirement, messages } = await read(`{ ${github}, ${subject} }`);
  t.same(messages, []);
  t.match(requirement, { minLogs: 1, minTimestamps: 0, minCertificateLogs: 1, root: 'default' });
  const { signer } = requirement ?? {};
  if (signer?.kind !== 'certificate') throw new TypeError('no certificate');
  t.equal(signer.issuer.kind, 'exact');
  t.ok(signer.issuer.matches('https://token.actions.githubusercontent.com'));
  t.notOk(signer.issuer.matches('https://token.actions.githubusercontent.com/'));
  t.equal(signer.claims.size, 0);
});

t.test('thresholds and the root are named', async (t) => {
  const { requirement, messages } = await read(
    `{ ${github}, ${subject}, transparencyLog: { threshold: 2 }, timestamps: required, certificateTransparency: not-required, root: private }`,
  );
  t.same(messages, []);
  t.match(requirement, { minLogs: 2, minTimestamps: 1, minCertificateLogs: 0, root: 'private' });
});

t.test('a timestamp may stand in for the log', async (t) => {
  const { requirement, messages } = await read(
    `{ ${github}, ${subject}, transparencyLog: not-required, timestamps: { threshold: 1 } }`,
  );
  t.same(messages, []);
  t.match(requirement, { minLogs: 0, minTimestamps: 1 });
});

t.test('claims are kept under the names of the certificate', async (t) => {
  const { requirement, messages } = await read(
    `{ ${github}, subjectPattern: "https://github\\\\.com/acme/.*", claims: { repository: https://github.com/acme/app, refPattern: "refs/tags/v[0-9.]+", workflow: w, trigger: push, runnerEnvironment: github-hosted, githubWorkflowName: release } }`,
  );
  t.same(messages, []);
  const { signer } = requirement ?? {};
  if (signer?.kind !== 'certificate') throw new TypeError('no certificate');
  t.same([...signer.claims.keys()].toSorted(), [
    'buildConfigUri',
    'buildTrigger',
    'githubWorkflowName',
    'runnerEnvironment',
    'sourceRepositoryRef',
    'sourceRepositoryUri',
  ]);
  t.ok(signer.claims.get('sourceRepositoryRef')?.matches('refs/tags/v1.2'));
  t.notOk(signer.claims.get('sourceRepositoryRef')?.matches('refs/tags/v1.2-evil'));
  t.notOk(signer.claims.get('sourceRepositoryUri')?.matches('https://github.com/acme/app-evil'));
});

const bad = [
  ['{}', /must name publicKeys, or issuer and subject/],
  ['[]', /must be a mapping/],
  [`{ ${github} }`, /subject or subjectPattern is missing: issuer and subject are both needed/],
  [`{ ${subject} }`, /issuer or issuerPattern is missing: issuer and subject are both needed/],
  ['{ claims: { ref: main } }', /issuer or issuerPattern is missing/],
  [
    `{ ${github}, ${subject}, subjectPattern: a }`,
    /subjectPattern: is one too many beside subject/,
  ],
  [`{ ${github}, subject: "" }`, /subject: must not be empty/],
  [
    `{ ${github}, subjectPattern: "a(" }`,
    /subjectPattern: is no pattern of RE2: .*missing closing/,
  ],
  [`{ ${github}, subjectPattern: "(?=a)" }`, /subjectPattern: is no pattern of RE2/],
  [`{ ${github}, subjectRegExp: a }`, /subjectRegExp: is not a known key/],
  [`{ ${github}, subject: [a] }`, /subject: must be text/],
  [`{ ${github}, ${subject}, claims: {} }`, /claims: must not be empty/],
  [`{ ${github}, ${subject}, claims: { repo: a } }`, /claims.repo: is not a known key/],
  [
    `{ ${github}, ${subject}, claims: { ref: a, sourceRepositoryRef: a } }`,
    /sourceRepositoryRef and its short name are one claim/,
  ],
  ['{ publicKeys: [acme.pub], issuer: a }', /issuer: has no meaning beside publicKeys/],
  [
    '{ publicKeys: [acme.pub], certificateTransparency: required }',
    /certificateTransparency: has no meaning beside publicKeys/,
  ],
  ['{ publicKeys: [] }', /publicKeys: must not be empty/],
  ['{ publicKeys: [acme.pub], transparencyLog: false }', /must be required or not-required/],
  ['{ publicKeys: [acme.pub], transparencyLog: optional }', /not "optional"/],
  [
    '{ publicKeys: [acme.pub], transparencyLog: { threshold: 0 } }',
    /threshold: must be a whole number of at least 1/,
  ],
  ['{ publicKeys: [acme.pub], transparencyLog: {} }', /threshold is missing/],
  [
    `{ ${github}, ${subject}, transparencyLog: not-required }`,
    /transparencyLog: not-required proves nothing with a certificate .*add timestamps: required/,
  ],
  [
    `{ ${github}, ${subject}, transparencyLog: not-required, timestamps: not-required }`,
    /proves nothing/,
  ],
  [
    '{ publicKeys: [acme.pub], transparencyLog: not-required, root: private }',
    /root: has no meaning with keys and neither/,
  ],
  [`{ ${github}, ${subject}, root: "../x" }`, /root: "..\/x" is no name of a root/],
  ['{ publicKeys: [acme.pub], maxRootAge: 7 }', /maxRootAge: must be a time span/],
  [
    '{ publicKeys: [acme.pub], transparencyLog: not-required, maxRootAge: 7d }',
    /maxRootAge: has no meaning with keys and neither transparencyLog nor timestamps/,
  ],
  ['{ publicKeys: [acme.pub], signedAs: [] }', /signedAs: must not be empty/],
  ['{ publicKeys: [acme.pub], signedAs: ["https://a.io/b"] }', /is no repository/],
  ['{ publicKeys: [acme.pub], signedAs: ["a.io/b:1"] }', /is no repository/],
  ['{ publicKeys: [acme.pub], insecure: true }', /insecure: is not a known key/],
] as const;

for (const [yaml, problem] of bad) {
  t.test(`refused: ${yaml}`, async (t) => {
    t.match((await read(yaml)).messages.join('\n'), problem);
  });
}

t.test('whatever changes what is demanded changes the meaning', async (t) => {
  const texts = [
    `{ ${github}, ${subject} }`,
    `{ ${github}, ${subject}x }`,
    `{ ${github}, ${subject.replace('subject', 'subjectPattern')} }`,
    `{ ${github}, ${subject}, claims: { trigger: push } }`,
    `{ ${github}, ${subject}, claims: { triggerPattern: push } }`,
    `{ ${github}, ${subject}, transparencyLog: { threshold: 2 } }`,
    `{ ${github}, ${subject}, timestamps: required }`,
    `{ ${github}, ${subject}, certificateTransparency: not-required }`,
    `{ ${github}, ${subject}, root: other }`,
    `{ ${github}, ${subject}, signedAs: [a.io] }`,
    '{ publicKeys: [acme.pub] }',
    '{ publicKeys: [{ key: acme.pub, validUntil: 2030-01-01T00:00:00Z }] }',
  ];
  const meanings = new Set<string>();
  for (const text of texts) {
    const { requirement, messages } = await read(text);
    t.same(messages, [], text);
    if (requirement)
      meanings.add(canonicalText(meaningOfIdentity({ kind: 'sigstore', requirement })));
  }
  t.equal(meanings.size, texts.length);
  const said = await read(`{ ${subject}, root: default, transparencyLog: required, ${github} }`);
  const same =
    said.requirement && meaningOfIdentity({ kind: 'sigstore', requirement: said.requirement });
  t.ok(same && meanings.has(canonicalText(same)), 'what is meant anyway may be said');
});
