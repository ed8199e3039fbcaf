import t from 'tap';
import { readAttestation } from '../../../src/policies/attestation-requirement.ts';
import { compileExpression } from '../../../src/policies/cel-expression.ts';
import type { Known } from '../../../src/policies/known.ts';
import { types } from '../../support/attestation-kit.ts';
import { placeOf } from '../../support/policy-kit.ts';

const known: Known = {
  identities: new Set(['ci']),
  checkExpression: (text) => {
    const compiled = compileExpression(text);
    return 'problem' in compiled ? compiled : { loops: compiled.shape.loops, patterns: [] };
  },
};

function read(yaml: string) {
  const { place, report, messages } = placeOf(yaml);
  return { attestation: readAttestation(place, known, report), messages: messages() };
}

const slsa = `predicateTypes: ["${types.slsa}"], signedBy: ci`;
const scan = `predicateTypes: ["${types.cosignVuln}"], signedBy: ci`;
const sbom = `predicateTypes: ["${types.spdx}", "${types.cyclonedx}"], signedBy: ci`;
const vsa = `predicateTypes: ["${types.vsa}"], signedBy: ci`;

t.test('types and a signer are enough', async (t) => {
  const { attestation, messages } = read(`{ ${slsa} }`);
  t.same(messages, []);
  t.match(attestation, {
    predicateTypes: [types.slsa],
    signedBy: 'ci',
    conditions: [],
    digest: /^[0-9a-f]{64}$/,
  });
  t.equal(attestation?.maxAgeMs, undefined);
});

const good = [
  [
    `${slsa}, conditions: { slsa.builder: b }`,
    { name: 'slsa.builder', ids: [{ kind: 'exact', text: 'b' }] },
  ],
  [
    `${slsa}, conditions: { slsa.builder: [b, c] }`,
    { ids: [{ text: 'b' }, { kind: 'exact', text: 'c' }] },
  ],
  [
    `${slsa}, conditions: { slsa.builder: { idPattern: "b.*" } }`,
    { ids: [{ kind: 'pattern', text: 'b.*' }] },
  ],
  [
    `${slsa}, conditions: { slsa.source: { repository: r, refPattern: "refs/.*", path: p } }`,
    {
      name: 'slsa.source',
      repository: { kind: 'exact', text: 'r' },
      ref: { kind: 'pattern', text: 'refs/.*' },
      path: { kind: 'exact', text: 'p' },
    },
  ],
  [`${sbom}, conditions: { sbom.present: spdx }`, { name: 'sbom.present', format: 'spdx' }],
  [
    `${sbom}, conditions: { sbom.noLicense: [AGPL-3.0-only, "GPL-*"] }`,
    { name: 'sbom.noLicense', licenses: ['AGPL-3.0-only', 'GPL-*'] },
  ],
  [
    `${scan}, conditions: { vuln.maxSeverity: high }`,
    { name: 'vuln.maxSeverity', severity: 'high', unknown: 'refused', except: [] },
  ],
  [
    `${scan}, conditions: { vuln.maxSeverity: { severity: none, unknown: tolerated, except: CVE-1 } }`,
    { severity: 'none', unknown: 'tolerated', except: ['CVE-1'] },
  ],
  [
    `predicateTypes: ["${types.vex}"], signedBy: ci, conditions: { vex.status: [fixed, not_affected] }`,
    { name: 'vex.status', statuses: ['fixed', 'not_affected'] },
  ],
  [
    `${vsa}, conditions: { vsa.level: { level: SLSA_BUILD_LEVEL_2, verifier: v, resources: [r] } }`,
    {
      name: 'vsa.level',
      levels: ['SLSA_BUILD_LEVEL_2'],
      verifier: { kind: 'exact', text: 'v' },
      resources: ['r'],
    },
  ],
  [
    `${slsa}, where: 'predicate.a == 1'`,
    { name: 'where', expression: 'predicate.a == 1', loops: 0 },
  ],
] as const;

for (const [yaml, condition] of good) {
  t.test(`{ ${yaml} } is a requirement`, async (t) => {
    const { attestation, messages } = read(`{ ${yaml} }`);
    t.same(messages, []);
    t.match(attestation?.conditions, [condition]);
  });
}

t.test('an age is a time span', async (t) => {
  t.equal(read(`{ ${scan}, maxAge: 7d }`).attestation?.maxAgeMs, 7 * 86_400_000);
  t.equal(read(`{ ${scan}, maxAge: 90s }`).attestation?.maxAgeMs, 90_000);
});

const bad = [
  ['{}', /predicateTypes is missing/],
  [`{ predicateTypes: ["${types.slsa}"] }`, /signedBy is missing/],
  ['{ predicateTypes: [], signedBy: ci }', /predicateTypes: must not be empty/],
  [`{ predicateTypes: "${types.slsa}", signedBy: ci }`, /predicateTypes: must be a list/],
  ['{ predicateTypes: ["https://slsa.dev/*"], signedBy: ci }', /compared exactly/],
  [
    '{ predicateTypes: ["https://sigstore.dev/cosign/sign/v1"], signedBy: ci }',
    /is a signature: ask for it with signedBy alone/,
  ],
  [
    `{ predicateTypes: ["${types.slsa}"], signedBy: x }`,
    /no identity has the name "x"; there are "ci"/,
  ],
  [`{ ${slsa}, condition: {} }`, /condition: is not a known key/],
  [`{ ${slsa}, conditions: {} }`, /conditions: must not be empty/],
  [
    `{ ${slsa}, conditions: { slsa.level: 3 } }`,
    /slsa.level.*: is not a known key; known are slsa.builder, /,
  ],
  [`{ ${slsa}, conditions: { slsa.builder: [] } }`, /must not be empty/],
  [`{ ${slsa}, conditions: { slsa.builder: {} } }`, /must have id or idPattern/],
  [`{ ${slsa}, conditions: { slsa.builder: { id: a, idPattern: b } } }`, /one too many beside id/],
  [`{ ${slsa}, conditions: { slsa.builder: { idPattern: "(" } } }`, /is no pattern of RE2/],
  [
    `{ ${slsa}, conditions: { slsa.source: { ref: main } } }`,
    /must have repository or repositoryPattern/,
  ],
  [
    `{ ${slsa}, conditions: { sbom.present: any } }`,
    /can not be read from "https:\/\/slsa.dev\/provenance\/v1", only from https:\/\/spdx/,
  ],
  [`{ ${sbom}, conditions: { sbom.present: true } }`, /must be any or spdx or cyclonedx/],
  [`{ ${sbom}, conditions: { sbom.noLicense: [] } }`, /must not be empty/],
  [`{ ${sbom}, conditions: { sbom.noLicense: "MIT OR GPL-3.0" } }`, /is no SPDX identifier/],
  [`{ ${scan}, conditions: { vuln.maxSeverity: bad } }`, /must be none or negligible or low/],
  [`{ ${scan}, conditions: { vuln.maxSeverity: { unknown: tolerated } } }`, /severity is missing/],
  [
    `{ ${scan}, conditions: { vuln.maxSeverity: { severity: low, unknown: ok } } }`,
    /must be refused or tolerated/,
  ],
  [
    `{ predicateTypes: ["${types.vex}"], signedBy: ci, conditions: { vex.status: [fine] } }`,
    /"fine" is no status; there are not_affected/,
  ],
  [`{ ${vsa}, conditions: { vsa.level: { verifier: v } } }`, /level is missing/],
  [`{ ${vsa}, conditions: { vsa.level: { level: a } } }`, /must have verifier or verifierPattern/],
  [`{ ${slsa}, where: '' }`, /where: must not be empty/],
  [`{ ${slsa}, where: 'predicate.a ==' }`, /"predicate.a ==" is no CEL: .*1:13/],
  [`{ ${slsa}, where: 'statement.a == 1' }`, /speaks of statement, which is not there/],
  [`{ ${slsa}, maxAge: 90 }`, /maxAge: must be a time span, such as 90d/],
  [`{ ${slsa}, maxAge: 0d }`, /must be a time span/],
] as const;

for (const [yaml, problem] of bad) {
  t.test(`refused: ${yaml}`, async (t) => {
    t.match(read(yaml).messages.join('\n'), problem);
  });
}

t.test('what is demanded makes the digest, and how it is written does not', async (t) => {
  const texts = [
    `{ ${slsa} }`,
    `{ ${scan} }`,
    `{ ${slsa}, maxAge: 1d }`,
    `{ ${slsa}, conditions: { slsa.builder: b } }`,
    `{ ${slsa}, conditions: { slsa.builder: { idPattern: b } } }`,
    `{ ${slsa}, where: 'predicate.a == 1' }`,
    `{ ${slsa}, where: 'predicate.a == 2' }`,
  ];
  t.equal(new Set(texts.map((text) => read(text).attestation?.digest)).size, texts.length);
  const one = read(`{ ${sbom}, maxAge: 24h }`).attestation;
  const other = read(
    `{ maxAge: 1d, signedBy: ci, predicateTypes: ["${types.cyclonedx}", "${types.spdx}"] }`,
  ).attestation;
  t.ok(one);
  t.equal(one?.digest, other?.digest);
});
