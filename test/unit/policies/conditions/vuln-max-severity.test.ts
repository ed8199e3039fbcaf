import t from 'tap';
import { judgeOne, types } from '../../../support/attestation-kit.ts';

const medium = {
  name: 'vuln.maxSeverity',
  severity: 'medium',
  unknown: 'refused',
  except: ['CVE-2029-0001'],
} as const;

const cosign = (result: unknown) => ({ scanner: { result } });
const trivy = (...severities: readonly string[]) =>
  cosign({
    Results: [
      { Target: 'clean' },
      {
        Target: 'a',
        Vulnerabilities: severities.map((Severity, at) => ({
          VulnerabilityID: `CVE-${at}`,
          Severity,
        })),
      },
    ],
  });
const grype = (...severities: readonly string[]) =>
  cosign({
    matches: severities.map((severity, at) => ({ vulnerability: { id: `CVE-${at}`, severity } })),
  });
const inToto = (...scores: readonly unknown[]) => ({
  scanner: {
    result: scores.map((score, at) => ({ id: `CVE-${at}`, severity: [{ method: 'nvd', score }] })),
  },
});
const cyclonedx = (vulnerabilities: unknown) => ({
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  vulnerabilities,
});
const rated = (severity: string, more: object = {}) => ({
  id: 'CVE-0',
  ratings: [{ severity }],
  ...more,
});

const clean = [
  ['nothing by Trivy', types.cosignVuln, trivy()],
  ['medium by Trivy', types.cosignVuln, trivy('LOW', 'MEDIUM')],
  ['nothing by Grype', types.cosignVuln, grype()],
  ['negligible by Grype', types.cosignVuln, grype('Negligible', 'Medium')],
  ['an empty list', types.vulns, inToto()],
  ['a word', types.vulns, inToto('medium')],
  ['a CVSS score as text', types.vulns, inToto('6.9')],
  ['a CVSS score', types.vulns, inToto(0, 3.9)],
  [
    'an exception',
    types.cosignVuln,
    cosign({ matches: [{ vulnerability: { id: 'CVE-2029-0001', severity: 'Critical' } }] }),
  ],
  ['an empty list in CycloneDX', types.cyclonedx, cyclonedx([])],
  [
    'what CycloneDX says does not bite',
    types.cyclonedx,
    cyclonedx([rated('critical', { analysis: { state: 'not_affected' } })]),
  ],
] as const;

for (const [what, type, predicate] of clean) {
  t.test(`${what} is not above medium`, async (t) => {
    const { found, condition } = await judgeOne(medium, type, predicate);
    t.match(condition, { outcome: 'met', because: /vulnerabilities is above medium/ });
    t.equal(found.meets.length, 1);
  });
}

const bad = [
  ['high by Trivy', types.cosignVuln, trivy('LOW', 'HIGH'), /above medium: "CVE-1" \(high\)/],
  ['critical by Grype', types.cosignVuln, grype('Critical'), /"CVE-0" \(critical\)/],
  ['unknown by Trivy', types.cosignVuln, trivy('UNKNOWN'), /of unknown severity/],
  ['a word nobody knows', types.vulns, inToto('terrible'), /of unknown severity/],
  ['a score past the scale', types.vulns, inToto('99'), /of unknown severity/],
  ['no severity', types.vulns, { scanner: { result: [{ id: 'CVE-0' }] } }, /of unknown severity/],
  ['a CVSS score of 7', types.vulns, inToto('7.0'), /\(high\)/],
  ['a CVSS score of 9', types.vulns, inToto(9), /\(critical\)/],
  [
    'the worse of two scores',
    types.vulns,
    { scanner: { result: [{ id: 'A', severity: [{ score: 'low' }, { score: '9.8' }] }] } },
    /"A" \(critical\)/,
  ],
  [
    'one within `vulnerability`, as v0.1 has it',
    types.vulns,
    { scanner: { result: [{ vulnerability: { id: 'A', severity: [{ score: 'high' }] } }] } },
    /"A" \(high\)/,
  ],
  ['many', types.cosignVuln, trivy('HIGH', 'HIGH', 'HIGH', 'HIGH', 'HIGH'), / and 2 more$/],
  [
    'a result of an unknown shape',
    types.cosignVuln,
    cosign({ findings: [] }),
    /of no shape that is known/,
  ],
  [
    'a result that is text',
    types.cosignVuln,
    cosign('no vulnerabilities'),
    /of no shape that is known/,
  ],
  ['no result', types.cosignVuln, { scanner: {} }, /of no shape that is known/],
  ['no list', types.vulns, { scanner: { result: {} } }, /of no shape that is known/],
  ['a list with text in it', types.vulns, { scanner: { result: ['CVE'] } }, /of no shape/],
  [
    'a target with a strange list',
    types.cosignVuln,
    cosign({ Results: [{ Vulnerabilities: 'none' }] }),
    /of no shape/,
  ],
  [
    'an SBOM without vulnerabilities',
    types.cyclonedx,
    cyclonedx(undefined),
    /lists no vulnerabilities/,
  ],
  ['no CycloneDX', types.cyclonedx, { vulnerabilities: [] }, /no CycloneDX document/],
  [
    'critical in CycloneDX',
    types.cyclonedx,
    cyclonedx([rated('critical')]),
    /"CVE-0" \(critical\)/,
  ],
  [
    'exploitable in CycloneDX',
    types.cyclonedx,
    cyclonedx([rated('high', { analysis: { state: 'exploitable' } })]),
    /\(high\)/,
  ],
  ['no predicate', types.cosignVuln, undefined, /of no shape/],
] as const;

for (const [what, type, predicate, because] of bad) {
  t.test(`${what} is above medium, or can not be told`, async (t) => {
    const { found, condition } = await judgeOne(medium, type, predicate);
    t.same(found.meets, []);
    t.match(condition, { outcome: 'not-met', because });
  });
}

t.test('a severity that nobody knows may be tolerated, by name', async (t) => {
  const tolerant = { ...medium, unknown: 'tolerated' } as const;
  t.match((await judgeOne(tolerant, types.cosignVuln, trivy('UNKNOWN'))).condition, {
    outcome: 'met',
  });
  t.match((await judgeOne(tolerant, types.cosignVuln, trivy('HIGH'))).condition, {
    outcome: 'not-met',
  });
});

t.test('none is none at all', async (t) => {
  const none = { ...medium, severity: 'none' } as const;
  t.match((await judgeOne(none, types.cosignVuln, grype())).condition, { outcome: 'met' });
  t.match((await judgeOne(none, types.cosignVuln, grype('Negligible'))).condition, {
    outcome: 'not-met',
  });
});
