import { type Digest, digestOf } from '../../src/oci/digest.ts';
import type { Check } from '../../src/verdict/check.ts';
import type { Report } from '../../src/verdict/report.ts';
import type { Search } from '../../src/verdict/search.ts';
import type { Verdict } from '../../src/verdict/verdict.ts';

/** Fixed verdicts of every kind, for the golden files. */

const digest = (name: string): Digest => digestOf(Buffer.from(name));

const signer = {
  kind: 'certificate',
  subject: 'CN=acme release,O=acme,ST=WA,C=US',
  issuer: 'CN=acme root,O=acme,ST=WA,C=US',
  certificateFingerprint: 'c'.repeat(64),
  keyFingerprint: '0123456789abcdef'.repeat(4),
} as const;

const passed: readonly Check[] = [
  {
    id: 'envelope-is-well-formed',
    outcome: 'passed',
    enforcement: 'enforce',
    rule: 'Notary Project signature-envelope-jws',
    evidence: { algorithm: 'ES256', scheme: 'notary.x509' },
  },
  {
    id: 'signature-verifies',
    outcome: 'passed',
    enforcement: 'enforce',
    rule: 'RFC 7515 section 5.2',
  },
];

const trustedReport: Report = {
  format: 'notation-jws',
  signature: digest('signature'),
  identity: 'acme-release',
  outcome: 'trusted',
  checks: passed,
  signer,
  validUntil: new Date('2031-01-01T00:00:00Z'),
  loggedFailures: 0,
};

const common = {
  scope: 'ghcr.io/acme/app',
  subject: digest('image'),
  rule: 'rule 2 (line 14)',
  children: [],
  checkedAt: new Date('2030-01-01T00:00:00Z'),
  expiresAt: new Date('2030-01-02T00:00:00Z'),
  ruleDigest: 'd'.repeat(64),
} as const;

const hex = digest('image').slice('sha256:'.length);
const referrers = `referrers, by the API and under tag sha256-${hex}`;

function searched(found: number, more: Partial<Search> = {}): Search {
  const places = [{ place: referrers, found }];
  return { places, passedOver: [], unexamined: 0, unlisted: 0, ...more };
}

export const trusted: Verdict = {
  ...common,
  search: searched(1),
  id: '5f2c81d09a01',
  kind: 'trusted',
  because: 'signed by acme-release',
  reports: [trustedReport],
};

export const permissive: Verdict = {
  ...trusted,
  id: '5f2c81d09a02',
  reports: [
    {
      ...trustedReport,
      format: 'notation-cose',
      checks: [
        ...passed,
        {
          id: 'not-expired',
          outcome: 'failed',
          enforcement: 'log',
          rule: 'Notary Project trust-store-trust-policy, Expiry',
          because: 'expired at 2029-12-31T00:00:00.000Z',
        },
        {
          id: 'not-revoked',
          outcome: 'skipped',
          enforcement: 'skip',
          rule: 'Notary Project trust-store-trust-policy, Revocation',
          because: 'the level or an override skips it',
        },
      ],
      loggedFailures: 1,
    },
  ],
};

export const unsigned: Verdict = {
  ...common,
  id: '5f2c81d09a03',
  kind: 'untrusted',
  reason: 'unsigned',
  because: 'no signature was found',
  reports: [],
  search: searched(1, {
    passedOver: [{ digest: digest('sbom'), because: 'not a signature: "application/spdx+json"' }],
  }),
};

export const tampered: Verdict = {
  ...common,
  search: searched(1),
  id: '5f2c81d09a04',
  kind: 'untrusted',
  reason: 'signature-invalid',
  because: 'acme-release: signature-verifies failed: the signature does not fit the content',
  reports: [
    {
      format: 'notation-jws',
      signature: digest('tampered'),
      identity: 'acme-release',
      outcome: 'untrusted',
      reason: 'signature-invalid',
      checks: [
        ...passed.slice(0, 1),
        {
          id: 'signature-verifies',
          outcome: 'failed',
          enforcement: 'enforce',
          rule: 'RFC 7515 section 5.2',
          because: 'the signature does not fit the content',
        },
        {
          id: 'chain-ends-in-trust-store',
          outcome: 'not-run',
          enforcement: 'enforce',
          rule: 'Notary Project trust-store-trust-policy, Authenticity',
          because: 'signature-verifies failed',
        },
      ],
      loggedFailures: 0,
    },
  ],
};

export const inconclusive: Verdict = {
  ...common,
  id: '5f2c81d09a05',
  kind: 'inconclusive',
  reason: 'revocation-unknown',
  because: 'acme-release: not-revoked is inconclusive: the responder did not answer',
  retryAfterSeconds: 5,
  search: searched(1, {
    places: [
      { place: referrers, found: 1 },
      { place: `tag sha256-${hex}.sig`, found: 0, incomplete: 'the upstream answered 500' },
    ],
    unexamined: 3,
  }),
  reports: [
    {
      ...trustedReport,
      outcome: 'inconclusive',
      reason: 'revocation-unknown',
      checks: [
        ...passed,
        {
          id: 'not-revoked',
          outcome: 'inconclusive',
          enforcement: 'enforce',
          rule: 'Notary Project trust-store-trust-policy, Revocation',
          because: 'the responder did not answer',
        },
      ],
    },
  ],
};

export const withoutRule: Verdict = {
  id: '5f2c81d09a06',
  kind: 'untrusted',
  scope: 'docker.io/library/nginx',
  subject: digest('nginx'),
  reason: 'no-rule',
  because: 'no rule of the trust policy matches docker.io/library/nginx',
  reports: [],
  children: [],
  checkedAt: common.checkedAt,
  expiresAt: common.expiresAt,
  ruleDigest: 'no-rule',
};

export const exempted: Verdict = {
  ...common,
  id: '5f2c81d09a07',
  kind: 'untrusted',
  reason: 'exempted',
  because: 'not verified: exempted until 2030-06-01T00:00:00.000Z (INC-1234, sre@acme.example)',
  waiver: {
    kind: 'exemption',
    reason: 'INC-1234',
    owner: 'sre@acme.example',
    until: new Date('2030-06-01T00:00:00Z'),
  },
  reports: [],
};

export const audited: Verdict = {
  ...unsigned,
  id: '5f2c81d09a08',
  waiver: { kind: 'audit', until: new Date('2030-06-01T00:00:00Z') },
};

export const platforms: Verdict = {
  ...common,
  id: '5f2c81d09a09',
  kind: 'untrusted',
  reason: 'unsigned',
  because: `platform child ${digest('arm64')}: no signature was found`,
  reports: [],
  children: [
    { ...trusted, id: '5f2c81d09a10', subject: digest('amd64') },
    { ...unsigned, id: '5f2c81d09a11', subject: digest('arm64') },
  ],
};

const keySigner = { kind: 'key', subject: 'acme.pub', keyFingerprint: 'ab'.repeat(32) } as const;

const cosignReport = (index: number, name: string): Report => ({
  ...trustedReport,
  format: 'cosign-simple-signing',
  signature: digest('cosign signatures'),
  envelope: { digest: digest(name), index },
  identity: 'acme-key',
  signer: keySigner,
});

/** Several signatures in one manifest, and an attestation in another. */
export const cosign: Verdict = {
  ...common,
  id: '5f2c81d09a13',
  kind: 'untrusted',
  reason: 'not-enough-signers',
  because: 'signed by acme-key, but the rule asks for more',
  search: {
    places: [
      { place: referrers, found: 0 },
      { place: `tag sha256-${hex}.sig`, found: 1 },
      { place: `tag sha256-${hex}.att`, found: 1 },
      { place: `tag sha256-${hex}.sig in signatures/app`, found: 0 },
    ],
    passedOver: [],
    unexamined: 0,
    unlisted: 2,
  },
  reports: [
    cosignReport(0, 'first'),
    {
      ...cosignReport(1, 'second'),
      signature: digest('attestations'),
      format: 'dsse-attestation',
      attestation: {
        predicateType: 'https://slsa.dev/provenance/v1',
        meets: [],
        conditions: [
          { requirement: 'r', condition: 'slsa.source', outcome: 'met' },
          {
            requirement: 'r',
            condition: 'slsa.builder',
            outcome: 'not-met',
            because: 'the builder is https://evil.example/',
          },
          {
            requirement: 'r',
            condition: 'where predicate.x > 1',
            outcome: 'inconclusive',
            because: 'it took too long',
          },
        ],
      },
    },
  ],
};

/** What a stranger may write into a certificate or an annotation. */
export const hostile: Verdict = {
  ...tampered,
  id: '5f2c81d09a12',
  because: 'trusted\u001b[2K\r\u202egnitset\nverdict: trusted',
  reports: [
    {
      ...trustedReport,
      outcome: 'untrusted',
      identity: 'acme\u0007',
      signer: { ...signer, subject: 'CN=\u001b[32mtrusted\u001b[0m' },
    },
  ],
};
