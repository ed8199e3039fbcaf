import t from 'tap';
import { readBundleParts } from '../../../../src/formats/sigstore/bundle-parts.ts';
import { EnvelopeError } from '../../../../src/crypto/envelope-error.ts';
import { makeChain } from '../../../support/test-ca.ts';
import { type BundlePlan, makeBundle } from '../../../support/sigstore-bundle.ts';

type Change = (bundle: Any) => void;
// oxlint-disable-next-line typescript/no-explicit-any -- the tests write where types say that nobody may
type Any = any;

const read = (bundle: unknown): unknown =>
  readBundleParts(
    Buffer.from(typeof bundle === 'string' ? bundle : JSON.stringify(bundle)),
    2 ** 20,
  );

const plan: BundlePlan = { timestamps: [{}] };
const good = (content: 'statement' | 'artifact' = 'statement'): Any =>
  JSON.parse(makeBundle({ ...plan, content }).bytes.toString());
const entryOf = (bundle: Any): Any => bundle.verificationMaterial.tlogEntries[0];
const inVersion = (bundle: Any, version: string): void => {
  bundle.mediaType = `application/vnd.dev.sigstore.bundle+json;version=${version}`;
  if (version === '0.3') return;
  const { certificate } = bundle.verificationMaterial;
  delete bundle.verificationMaterial.certificate;
  bundle.verificationMaterial.x509CertificateChain = { certificates: [certificate] };
};

t.test('a bundle of each version is read, and is what it was', async (t) => {
  for (const version of ['0.1', '0.2', '0.3']) {
    const bundle = good();
    inVersion(bundle, version);
    t.match(read(bundle), {
      content: {
        kind: 'dsse',
        payloadType: 'application/vnd.in-toto+json',
        head: { predicateType: 'https://sigstore.dev/cosign/sign/v1' },
      },
      verifier: { kind: 'certificate' },
      logEntries: [
        {
          kind: 'dsse',
          version: '0.0.1',
          logIndex: 1007,
          integratedTimeSeconds: 1893456001,
          proof: { index: 4, treeSize: 11 },
        },
      ],
    });
  }
});

t.test('an artifact is read as its hash', async (t) => {
  t.match(read(good('artifact')), { content: { kind: 'artifact', hash: 'sha256' } });
});

t.test('what proto3 leaves out is zero', async (t) => {
  const bundle = good();
  const entry = entryOf(bundle);
  delete entry.logIndex;
  delete entry.integratedTime;
  delete entry.inclusionProof.logIndex;
  delete entry.inclusionProof.hashes;
  const parts = read(bundle) as ReturnType<typeof readBundleParts>;
  t.match(parts.logEntries, [{ logIndex: 0, proof: { index: 0, hashes: [] } }]);
  t.notOk('integratedTimeSeconds' in (parts.logEntries[0] ?? {}));
});

t.test(
  'version 0.1 may be without a proof, and a proof without a checkpoint is none',
  async (t) => {
    const changes: readonly Change[] = [
      (entry) => delete entry.inclusionProof,
      (entry) => delete entry.inclusionProof.checkpoint,
    ];
    for (const change of changes) {
      const bundle = good();
      inVersion(bundle, '0.1');
      change(entryOf(bundle));
      const parts = read(bundle) as ReturnType<typeof readBundleParts>;
      t.notOk('proof' in (parts.logEntries[0] ?? {}));
    }
  },
);

t.test('neither entries nor timestamps need be there', async (t) => {
  const bundle = good();
  delete bundle.verificationMaterial.tlogEntries;
  bundle.verificationMaterial.timestampVerificationData = {};
  t.match(read(bundle), { logEntries: [], timestamps: [] });
});

t.test('a key may come with a hint and without', async (t) => {
  const bundle = good();
  delete bundle.verificationMaterial.certificate;
  bundle.verificationMaterial.publicKey = {};
  t.strictSame((read(bundle) as Any).verifier, { kind: 'public-key' });
  bundle.verificationMaterial.publicKey = { hint: 'a' };
  t.strictSame((read(bundle) as Any).verifier, { kind: 'public-key', hint: 'a' });
});

const rawBytes = Buffer.from(makeChain().leaf.der).toString('base64');

/** One thing wrong, and what the error says. */
const broken: Readonly<Record<string, readonly [Change, RegExp]>> = {
  'no media type': [(b) => delete b.mediaType, /mediaType is missing/],
  'an unknown version': [(b) => (b.mediaType += '4'), /version is not known/],
  'a version between': [
    (b) => (b.mediaType = 'application/vnd.dev.sigstore.bundle+json;version=0.30'),
    /version is not known/,
  ],
  'version 0.4': [
    (b) => (b.mediaType = 'application/vnd.dev.sigstore.bundle.v0.4+json'),
    /version is not known/,
  ],
  'version 0.2 under the new name': [
    (b) => (b.mediaType = 'application/vnd.dev.sigstore.bundle.v0.2+json'),
    /version is not known/,
  ],
  'a media type with more before it': [
    (b) => (b.mediaType = ` ${b.mediaType}`),
    /version is not known/,
  ],
  'an unknown member': [(b) => (b.more = 1), /"more\\?"|more.* is not known/],
  'a name as protobuf has it': [
    (b) => (b.verification_material = b.verificationMaterial),
    /verification_material.* is not known/,
  ],
  'no material': [(b) => delete b.verificationMaterial, /verificationMaterial is missing/],
  'unknown material': [(b) => (b.verificationMaterial.more = 1), /more.* is not known/],
  'no content': [(b) => delete b.dsseEnvelope, /not one of dsseEnvelope and messageSignature/],
  'two contents': [
    (b) => (b.messageSignature = good('artifact').messageSignature),
    /not one of dsseEnvelope and messageSignature/,
  ],
  'no DSSE signature': [(b) => (b.dsseEnvelope.signatures = []), /no signature/],
  'two DSSE signatures': [
    (b) => b.dsseEnvelope.signatures.push(b.dsseEnvelope.signatures[0]),
    /more than one signature/,
  ],
  'no payload type': [(b) => delete b.dsseEnvelope.payloadType, /payloadType is missing/],
  'a payload that is no base64': [(b) => (b.dsseEnvelope.payload += '!'), /payload is no base64/],
  'no verifier': [
    (b) => delete b.verificationMaterial.certificate,
    /not one of publicKey and certificate/,
  ],
  'two verifiers': [
    (b) => (b.verificationMaterial.publicKey = {}),
    /not one of publicKey and certificate/,
  ],
  'a chain in version 0.3': [
    (b) => {
      inVersion(b, '0.2');
      b.mediaType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
    },
    /x509CertificateChain.* is not known/,
  ],
  'one certificate in version 0.2': [
    (b) => (b.mediaType = 'application/vnd.dev.sigstore.bundle+json;version=0.2'),
    /certificate.* is not known/,
  ],
  'nine certificates': [
    (b) => {
      inVersion(b, '0.2');
      const { certificates } = b.verificationMaterial.x509CertificateChain;
      certificates.push(...Array.from({ length: 8 }, () => ({ rawBytes })));
    },
    /more than 8 items/,
  ],
  'a certificate with more': [
    (b) => (b.verificationMaterial.certificate.more = 1),
    /more.* is not known/,
  ],
  'a hint that is too long': [
    (b) => {
      delete b.verificationMaterial.certificate;
      b.verificationMaterial.publicKey = { hint: 'a'.repeat(1025) };
    },
    /hint at its key is too long/,
  ],
  '33 log entries': [
    (b) => (b.verificationMaterial.tlogEntries = Array.from({ length: 33 }, () => entryOf(b))),
    /tlogEntries has more than 32 items/,
  ],
  '33 timestamps': [
    (b) => {
      const data = b.verificationMaterial.timestampVerificationData;
      data.rfc3161Timestamps = Array.from({ length: 33 }, () => data.rfc3161Timestamps[0]);
    },
    /rfc3161Timestamps has more than 32 items/,
  ],
  'a timestamp of a kind that is not known': [
    (b) => (b.verificationMaterial.timestampVerificationData.others = []),
    /others.* is not known/,
  ],
  'an entry without a log': [(b) => delete entryOf(b).logId, /logId is missing/],
  'an entry without a kind': [(b) => delete entryOf(b).kindVersion, /kindVersion is missing/],
  'an entry without a body': [
    (b) => delete entryOf(b).canonicalizedBody,
    /canonicalizedBody is missing/,
  ],
  'an entry with more': [(b) => (entryOf(b).more = 1), /more.* is not known/],
  'an entry at a place that is no number': [
    (b) => (entryOf(b).logIndex = 'x'),
    /logIndex is no count/,
  ],
  'an entry at a negative time': [
    (b) => (entryOf(b).integratedTime = '-1'),
    /integratedTime is no count/,
  ],
  'an entry without a proof in version 0.3': [
    (b) => delete entryOf(b).inclusionProof,
    /inclusionProof is missing/,
  ],
  'an entry without a proof in version 0.2': [
    (b) => {
      inVersion(b, '0.2');
      delete entryOf(b).inclusionProof;
    },
    /inclusionProof is missing/,
  ],
  'an entry without a checkpoint in version 0.3': [
    (b) => delete entryOf(b).inclusionProof.checkpoint,
    /checkpoint is missing/,
  ],
  'an entry without a promise in version 0.1': [
    (b) => {
      inVersion(b, '0.1');
      delete entryOf(b).inclusionPromise;
    },
    /inclusionPromise is missing/,
  ],
  'an entry with an empty promise in version 0.1': [
    (b) => {
      inVersion(b, '0.1');
      entryOf(b).inclusionPromise = {};
    },
    /inclusionPromise is missing/,
  ],
  'a hash of a proof that is no base64': [
    (b) => (entryOf(b).inclusionProof.hashes[0] = '?'),
    /hashes has one that is no base64/,
  ],
  '65 hashes of a proof': [
    (b) => (entryOf(b).inclusionProof.hashes = Array.from({ length: 65 }, () => 'AAAA')),
    /hashes has more than 64 items/,
  ],
};

for (const [what, [change, because]] of Object.entries(broken)) {
  t.test(`a bundle with ${what} is refused`, async (t) => {
    const bundle = good();
    change(bundle);
    t.throws(() => read(bundle), { name: 'EnvelopeError', message: because });
  });
}

const brokenArtifact: Readonly<Record<string, readonly [Change, RegExp]>> = {
  'no hash': [(m) => delete m.messageDigest, /messageDigest is missing/],
  'a hash by what every object has': [
    (m) => (m.messageDigest.algorithm = 'constructor'),
    /of no accepted kind/,
  ],
  'a hash by SHA-1': [(m) => (m.messageDigest.algorithm = 'SHA1'), /of no accepted kind/],
  'no signature': [(m) => delete m.signature, /signature is missing/],
  more: [(m) => (m.more = 1), /more.* is not known/],
};

for (const [what, [change, because]] of Object.entries(brokenArtifact)) {
  t.test(`a bundle over an artifact with ${what} is refused`, async (t) => {
    const bundle = good('artifact');
    change(bundle.messageSignature);
    t.throws(() => read(bundle), { code: /_MALFORMED$/, message: because });
  });
}

t.test('bytes that are no bundle are refused', async (t) => {
  for (const text of ['', '{', 'null', '[]', '"a"', '{"mediaType":1}', '\ufeff{}']) {
    t.throws(() => read(text), EnvelopeError, JSON.stringify(text));
  }
  const twice = makeBundle().bytes.toString().replace('{', '{"mediaType":"a",');
  t.throws(() => read(twice), { message: /"mediaType" stands twice/ });
  t.throws(() => readBundleParts(new Uint8Array(11), 10), { message: /larger than 10 bytes/ });
});
