import t from 'tap';
import { readBundleParts } from '../../../../src/formats/sigstore/bundle-parts.ts';
import { makeBundle } from '../../../support/sigstore-bundle.ts';
import {
  assertSigstoreMutations,
  runBundle,
  type SigstoreMutations,
  trustedKey,
} from '../../../support/sigstore-case.ts';
import { makeAuthority, timeStamping } from '../../../support/test-authority.ts';
import { makeChain } from '../../../support/test-ca.ts';
import { authorityEntry } from '../../../support/trusted-root.ts';

const slsa = 'https://slsa.dev/provenance/v1';
const foreign = { signature: Buffer.from('another'), payload: Buffer.from('another') };
const expiredIssuer = { intermediate: { 0: { notAfter: '2029-01-01T00:00:00Z' } } };
const forged = makeChain({
  authority: 'forger',
  leaf: { extendedKeyUsage: { purposes: [timeStamping], critical: true } },
});

// The advisories of cosign, sigstore-go, sigstore-js and timestamp-authority that concern what is
// verified here, each as the attack that it tells of.
assertSigstoreMutations(t, {
  'CVE-2022-23649 (cosign): the log entry of another signature': {
    plan: { entries: [{ about: foreign }] },
    at: 'log-entries',
    because: /is about another signature/,
  },
  'CVE-2022-36056 (cosign): an entry whose signature is another': {
    plan: { entries: [{ about: { signature: foreign.signature } }] },
    at: 'log-entries',
    because: /is about another signature/,
  },
  'CVE-2022-36056 (cosign): an entry whose hash is another': {
    plan: { entries: [{ about: { payload: foreign.payload } }] },
    at: 'log-entries',
    because: /is about another payload/,
  },
  'CVE-2022-36056 (cosign): an entry whose certificate is another': {
    plan: { entries: [{ about: { verifier: makeChain().leaf.pem } }] },
    at: 'log-entries',
    because: /is about another certificate/,
  },
  'CVE-2022-36056 (cosign): an entry that no log has signed': {
    plan: { entries: [{ promisedBy: 'stranger' }] },
    at: 'log-entries',
    because: /signed entry timestamp that does not verify/,
  },
  'CVE-2026-22703 (cosign): a bundle for another artifact': {
    plan: { content: 'artifact', entries: [{ about: { message: Buffer.from('another') } }] },
    at: 'log-entries',
    because: /is about other content/,
  },
  'CVE-2026-24122 (cosign): an issuing authority that had expired before the signature': {
    plan: { certificate: { chain: expiredIssuer } },
    root: {
      certificateAuthorities: [
        authorityEntry('acme', {
          certChain: {
            certificates: makeChain(expiredIssuer)
              .ders.slice(1)
              .map((der) => ({ rawBytes: Buffer.from(der).toString('base64') })),
          },
        }),
      ],
    },
    at: 'certificate-chain',
    reason: 'no-trusted-signer',
    because: /acme intermediate 0.* is valid from .* to 2029/,
  },
  'CVE-2026-39395 (cosign): a DSSE envelope over what is no JSON': {
    plan: { payload: Buffer.from('\u0000') },
    at: 'payload-names-subject',
    because: /the statement can not be read/,
  },
  'CVE-2023-47122 (gitsign): a log whose key is not in the root, whoever offers it': {
    plan: { entries: [{ log: 'stranger' }] },
    at: 'log-entries',
    reason: 'log-unproven',
    because: /no log [0-9a-f]{16} is known/,
  },
  'GHSA-cq38-jh5f-37mq (sigstore-go): 1025 subjects': {
    plan: { statement: (s) => ({ ...s, subject: Array.from({ length: 1025 }, () => ({})) }) },
    at: 'payload-names-subject',
    because: /more than 1024 subjects/,
  },
  'GHSA-cq38-jh5f-37mq (sigstore-go): 33 hashes of a subject': {
    plan: {
      statement: (s) => ({
        ...s,
        subject: [
          { digest: Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`h${at}`, '0'])) },
        ],
      }),
    },
    at: 'payload-names-subject',
    because: /more than 32 hashes/,
  },
  'GHSA-cq38-jh5f-37mq (sigstore-go): 33 log entries': {
    plan: { entries: Array.from({ length: 33 }, (_, logIndex) => ({ logIndex })) },
    at: 'envelope-readable',
    because: /more than 32 items/,
  },
  'GHSA-cq38-jh5f-37mq (sigstore-go): 33 timestamps': {
    plan: { timestamps: Array.from({ length: 33 }, () => ({})) },
    at: 'envelope-readable',
    because: /more than 32 items/,
  },
  'GHSA-9vcr-p3rj-q5q6 (sigstore-go): a threshold of two, met by two entries of one log': {
    plan: { entries: [{}, { logIndex: 2, as: 'intoto 0.0.2' }] },
    requirement: { minLogs: 2 },
    at: 'log-entries',
    reason: 'log-unproven',
    because: /^1 of 2 transparency logs/,
  },
  'GHSA-wqqc-jjcq-vfxm (sigstore-go): a key outside its time': {
    plan: { key: 'EC-256' },
    requirement: {
      signer: {
        kind: 'keys',
        keys: [trustedKey('EC-256', { validUntil: new Date('2030-01-01T00:00:00Z') })],
      },
    },
    at: 'trusted-time',
    reason: 'timestamp-unproven',
    because: /while the key "EC-256.pub" was valid/,
  },
  'CVE-2026-39984 (timestamp-authority): a forged certificate first in the bag': {
    plan: {
      entries: [],
      timestamps: [
        {
          certificates: [
            makeAuthority().leaf.der,
            ...makeAuthority().ders.slice(1),
            forged.leaf.der,
          ],
          authority: forged,
        },
      ],
    },
    requirement: { minLogs: 0, minTimestamps: 1 },
    at: 'timestamps',
    reason: 'timestamp-unproven',
    because: /no trusted authority issued/,
  },
  'sigstore-js: a checkpoint under a name that is a pattern': {
    plan: { entries: [{ checkpoint: { name: '.*', origin: '.*' } }] },
    at: 'log-entries',
    because: /checkpoint that the log did not sign/,
  },
  'sigstore-js: a checkpoint of a size that is no number': {
    plan: {
      entries: [
        {
          entry: (entry) => {
            const { inclusionProof: proof } = entry;
            const envelope = proof.checkpoint.envelope.replace(/\n\d+\n/, '\nx\n');
            return { ...entry, inclusionProof: { ...proof, checkpoint: { envelope } } };
          },
        },
      ],
    },
    at: 'log-entries',
    because: /not a checkpoint: the tree size is no count/,
  },
  'sigstore-js: a log entry whose body is no object': {
    plan: { entries: [{ body: () => '{' }] },
    at: 'log-entries',
    because: /not a log entry/,
  },
  'CVE-2023-30551, CVE-2023-33199 (rekor): a log entry with an intoto body that is malformed': {
    plan: {
      entries: [{ as: 'intoto 0.0.2', body: (body) => ({ ...body, spec: { content: {} } }) }],
    },
    at: 'log-entries',
    because: /not a log entry: spec.content.envelope is missing/,
  },
} satisfies SigstoreMutations);

t.test(
  'CVE-2022-35929 (cosign): a statement is of the type that it has, and no signature',
  async (t) => {
    const { proven, stoppedBy } = await runBundle({ predicateType: slsa });
    t.equal(stoppedBy, undefined);
    t.match(proven.statement, { predicateType: slsa });
  },
);

t.test(
  'CVE-2026-39395 (cosign): what its predicateType is called does not make it a signature',
  async (t) => {
    for (const predicateType of [
      'https://sigstore.dev/cosign/sign/v1/',
      'https://sigstore.dev/cosign/sign/v2',
    ]) {
      const { proven } = await runBundle({ predicateType });
      t.match(proven.statement, { predicateType });
    }
  },
);

t.test('sigstore-js: numbers that are none are refused as malformed', async (t) => {
  for (const logIndex of ['x', '1e3', '0x1', '-1', '9007199254740993', 1.5, ' 1', '01']) {
    const { bytes } = makeBundle({ entries: [{ entry: (entry) => ({ ...entry, logIndex }) }] });
    t.throws(() => readBundleParts(bytes, bytes.length), { message: /logIndex is no count/ });
  }
});
