import t from 'tap';
import { judgeOne, scope, subject, types } from '../../../support/attestation-kit.ts';

const verifier = 'https://verifier.example';
const condition = {
  name: 'vsa.level',
  levels: ['SLSA_BUILD_LEVEL_2', 'ACME_REVIEWED'],
  verifier: { kind: 'exact', text: verifier },
  resources: ['registry.acme.example/app'],
} as const;
const vsa = (overrides: object = {}) => ({
  verifier: { id: verifier },
  timeVerified: '2029-12-31T00:00:00Z',
  resourceUri: `oci://${scope}@${subject}`,
  verificationResult: 'PASSED',
  verifiedLevels: ['SLSA_BUILD_LEVEL_3', 'ACME_REVIEWED'],
  ...overrides,
});

const good = [
  ['a level implies those below it', vsa()],
  ['the artifact by its name alone', vsa({ resourceUri: scope })],
  ['the artifact by a tag', vsa({ resourceUri: `docker://${scope}:1.0` })],
  ['another name that the rule lists', vsa({ resourceUri: 'https://registry.acme.example/app' })],
  [
    'a package URL',
    vsa({ resourceUri: `pkg:oci/app@${encodeURIComponent(subject)}?repository_url=${scope}` }),
  ],
  [
    'a package URL of an organisation',
    vsa({ resourceUri: 'pkg:oci/app?repository_url=ghcr.io/acme' }),
  ],
] as const;

for (const [what, predicate] of good) {
  t.test(`a summary passes: ${what}`, async (t) => {
    const { found, condition: seen } = await judgeOne(condition, types.vsa, predicate);
    t.match(seen, { outcome: 'met', because: /verifiedLevels are "SLSA_BUILD_LEVEL_3"/ });
    t.equal(found.meets.length, 1);
  });
}

const other = `sha256:${'0'.repeat(64)}`;
const bad = [
  ['another verifier', vsa({ verifier: { id: `${verifier}.evil` } }), /verifier.id is "https/],
  ['no verifier', vsa({ verifier: undefined }), /verifier.id is absent/],
  ['a failure', vsa({ verificationResult: 'FAILED' }), /verificationResult is "FAILED"/],
  ['another word for it', vsa({ verificationResult: 'passed' }), /verificationResult is "passed"/],
  ['no result', vsa({ verificationResult: undefined }), /verificationResult is absent/],
  ['no resource', vsa({ resourceUri: undefined }), /resourceUri is absent/],
  [
    'another resource',
    vsa({ resourceUri: `oci://${scope}-evil` }),
    /which is not ghcr.io\/acme\/app/,
  ],
  ['another digest', vsa({ resourceUri: `oci://${scope}@${other}` }), /which is not/],
  ['two digests', vsa({ resourceUri: `oci://${scope}@${subject}@${other}` }), /which is not/],
  ['a prefix', vsa({ resourceUri: `evil.example/${scope}` }), /which is not/],
  [
    'a package of another repository',
    vsa({ resourceUri: 'pkg:oci/app?repository_url=ghcr.io/evil' }),
    /which is not/,
  ],
  ['a package without a repository', vsa({ resourceUri: 'pkg:oci/app' }), /which is not/],
  [
    'a package with another digest',
    vsa({ resourceUri: `pkg:oci/app@${encodeURIComponent(other)}?repository_url=${scope}` }),
    /which is not/,
  ],
  [
    'a package that can not be read',
    vsa({ resourceUri: `pkg:oci/%zz?repository_url=${scope}` }),
    /which is not/,
  ],
  [
    'a lower level',
    vsa({ verifiedLevels: ['SLSA_BUILD_LEVEL_1', 'ACME_REVIEWED'] }),
    /SLSA_BUILD_LEVEL_2 is not among/,
  ],
  [
    'another track',
    vsa({ verifiedLevels: ['SLSA_SOURCE_LEVEL_3', 'ACME_REVIEWED'] }),
    /is not among/,
  ],
  [
    'one of two levels',
    vsa({ verifiedLevels: ['SLSA_BUILD_LEVEL_3'] }),
    /ACME_REVIEWED is not among/,
  ],
  [
    'two levels of a track',
    vsa({ verifiedLevels: ['SLSA_BUILD_LEVEL_1', 'SLSA_BUILD_LEVEL_3'] }),
    /two levels of one/,
  ],
  [
    'FAILED among the levels',
    vsa({ verifiedLevels: ['SLSA_BUILD_LEVEL_3', 'ACME_REVIEWED', 'FAILED'] }),
    /has FAILED/,
  ],
  ['no levels', vsa({ verifiedLevels: [] }), /no list of levels/],
  ['levels that are no text', vsa({ verifiedLevels: [3] }), /no list of levels/],
] as const;

for (const [what, predicate, because] of bad) {
  t.test(`a summary does not pass: ${what}`, async (t) => {
    const { found, condition: seen } = await judgeOne(condition, types.vsa, predicate);
    t.same(found.meets, []);
    t.match(seen, { outcome: 'not-met', because });
  });
}
