import t from 'tap';
import { exactly, parsePattern } from '../../../../src/policies/text-match.ts';
import type { TextMatch } from '../../../../src/verdict/sigstore-requirement.ts';
import * as asn1 from '../../../support/der-encoder.ts';
import { otherName, uriName } from '../../../support/fulcio-certificate.ts';
import type { BundlePlan } from '../../../support/sigstore-bundle.ts';
import {
  certificateSigner,
  runBundle,
  type SigstoreCaseOptions,
} from '../../../support/sigstore-case.ts';
import { makeAuthority } from '../../../support/test-authority.ts';

const pattern = (text: string): TextMatch => {
  const match = parsePattern(text);
  if ('problem' in match) throw new TypeError(match.problem);
  return match;
};
const bySubject = (subject: TextMatch) => ({
  requirement: { signer: { ...certificateSigner, subject } },
});
const byIssuer = (issuer: TextMatch) => ({
  requirement: { signer: { ...certificateSigner, issuer } },
});
const named = (name: Uint8Array): BundlePlan => ({ certificate: { names: [name] } });
const app = 'https://github.com/org/app';
const twoClocks = [{}, { genTime: '20300101000003Z' }];

type Row = readonly [
  stoppedBy: string | undefined,
  plan: BundlePlan,
  options?: SigstoreCaseOptions,
];

/** What the library @sigstore/verify leaves to its user, and here is checked: where each is stopped. */
const gaps: Readonly<Record<string, readonly Row[]>> = {
  'a DSSE subject is compared with the manifest, and the payload type looked at': [
    [
      'payload-names-subject',
      { statement: (s) => ({ ...s, subject: [{ digest: { sha256: '00' } }] }) },
    ],
    ['payload-names-subject', { payloadType: 'text/plain' }],
  ],
  'a subject is compared whole': [
    ['signer-candidate', named(uriName(`${app}-evil`)), bySubject(exactly(app))],
    ['signer-candidate', named(uriName(`${app}-evil`)), bySubject(pattern(app))],
    [undefined, named(uriName(app)), bySubject(exactly(app))],
  ],
  'a user name is a subject': [
    [
      undefined,
      named(otherName('1.3.6.1.4.1.57264.1.7', asn1.utf8('dev!acme'))),
      bySubject(exactly('dev!acme')),
    ],
  ],
  'an issuer may be a pattern, and matches whole': [
    [undefined, {}, byIssuer(pattern('https://accounts\\.[a-z]+\\.test'))],
    ['signer-candidate', {}, byIssuer(pattern('https://accounts'))],
  ],
  'the verifier in the body of a log entry is that of the bundle': [
    ['log-entries', { entries: [{ about: { verifier: makeAuthority().leaf.pem } }] }],
  ],
  'P-384 signs with SHA-384': [
    [undefined, { key: 'EC-384' }],
    [undefined, { certificate: { chain: { leaf: { key: 'EC-384' } } } }],
  ],
  'one entry or timestamp that is not known is passed by': [
    [undefined, { entries: [{}, { log: 'stranger', logIndex: 2 }] }],
    [
      undefined,
      { timestamps: [{ authority: makeAuthority({ authority: 'stranger' }) }, {}] },
      { requirement: { minTimestamps: 1 } },
    ],
  ],
  'a threshold counts operators': [
    [
      'log-entries',
      { entries: [{}, { log: 'rekor-two', logIndex: 2 }] },
      { requirement: { minLogs: 2 } },
    ],
    ['timestamps', { timestamps: twoClocks }, { requirement: { minTimestamps: 2 } }],
  ],
  "a timestamp's signer may come along, and is held to its rules": [
    [undefined, { timestamps: [{}] }, { requirement: { minTimestamps: 1 } }],
    [
      'timestamps',
      { timestamps: [{ authority: makeAuthority({ leaf: { extendedKeyUsage: 'absent' } }) }] },
      { requirement: { minTimestamps: 1 } },
    ],
  ],
  'a certificate is for signing code': [
    [
      'certificate-chain',
      {
        certificate: { chain: { leaf: { extendedKeyUsage: { purposes: ['1.3.6.1.5.5.7.3.1'] } } } },
      },
    ],
  ],
  'the origin of a checkpoint is the name of its log, whole': [
    ['log-entries', { entries: [{ checkpoint: { origin: 'rekor.example.test.evil.test' } }] }],
    [
      'log-entries',
      { entries: [{ checkpoint: { origin: 'example.test', name: 'example.test' } }] },
    ],
  ],
  'without a trusted time a certificate fails by a check that says so': [
    ['trusted-time', { entries: [{ rekor: 'v2' }] }],
  ],
  'entries, timestamps and subjects have bounds': [
    ['envelope-readable', { entries: Array.from({ length: 33 }, (_, logIndex) => ({ logIndex })) }],
    ['envelope-readable', { timestamps: Array.from({ length: 33 }, () => ({})) }],
    [
      'payload-names-subject',
      { statement: (s) => ({ ...s, subject: Array.from({ length: 1025 }, () => ({})) }) },
    ],
  ],
  'rekord is a kind that is known': [
    [undefined, { content: 'artifact', entries: [{ as: 'rekord 0.0.1' }] }],
  ],
};

for (const [what, rows] of Object.entries(gaps)) {
  t.test(what, async (t) => {
    for (const [stoppedBy, plan, options] of rows) {
      const run = await runBundle(plan, options);
      t.equal(run.stoppedBy, stoppedBy, JSON.stringify(run.findings));
    }
  });
}

t.test('a large bundle is read in another thread', async (t) => {
  const predicate = 'x'.repeat(300 * 1024);
  let asked = 0;
  const { stoppedBy, findings } = await runBundle(
    { statement: (s) => ({ ...s, predicate }) },
    {
      context: {
        readApart: async () => {
          asked += 1;
          throw new Error('no thread is free');
        },
      },
    },
  ).catch((error: unknown) => ({ stoppedBy: String(error), findings: {} }));
  t.equal(asked, 1);
  t.match(stoppedBy, /no thread is free/);
  t.same(findings, {});
});
