import t from 'tap';
import {
  legacyAnnotations as names,
  maxPayloadBytes,
  readLegacyAttestation,
  readLegacySignature,
} from '../../../../src/formats/sigstore/legacy-annotations.ts';
import { type ReadApart, readEnvelope } from '../../../../src/formats/sigstore/read-apart.ts';
import { base64, chain, entryBody } from '../../../support/log-entries.ts';

const [leaf, ...issuers] = chain.certificates;
const bytes = Buffer.from('the payload');
const body = entryBody('hashedrekord 0.0.1');
const logId = 'c0'.repeat(32);
const payload = { body: base64(body), integratedTime: 1_674_251_859, logIndex: 0, logID: logId };
const promised = { SignedEntryTimestamp: base64('promise'), Payload: payload };
const keyless = {
  [names.signature]: base64('signature'),
  [names.certificate]: leaf.pem,
  [names.chain]: issuers.map(({ pem }) => pem).join(''),
  [names.bundle]: JSON.stringify(promised),
  [names.timestamp]: JSON.stringify({ SignedRFC3161Timestamp: base64('timestamp') }),
};
const statement = {
  payloadType: 'application/vnd.in-toto+json',
  payload: base64('{}'),
  signatures: [{ keyid: '', sig: base64('signature') }],
};

const here = {
  readApart: () => Promise.reject(new TypeError('it is small enough to be read here')),
  signal: new AbortController().signal,
};

t.test('a signature with a key alone', async (t) => {
  const annotations = { [names.signature]: base64('signature') };
  t.same(readLegacySignature({ bytes, annotations }), {
    content: { kind: 'simple-signing', payload: bytes },
    signature: Buffer.from('signature'),
    verifier: { kind: 'public-key' },
    logEntries: [],
    timestamps: [],
    timestamped: Buffer.from('signature'),
  });
});

t.test('what is empty says nothing, and what is unknown says nothing to us', async (t) => {
  const { certificate, chain: issuersName, bundle, timestamp } = names;
  const empty = { [certificate]: '', [issuersName]: '', [bundle]: '', [timestamp]: '' };
  const annotations = { ...empty, [names.signature]: base64('signature'), predicateType: 'x' };
  t.match(readLegacySignature({ bytes, annotations }), {
    verifier: { kind: 'public-key' },
    logEntries: [],
    timestamps: [],
  });
});

t.test('a keyless signature with an entry of a log and a timestamp', async (t) => {
  const { verifier, logEntries, timestamps } = readLegacySignature({ bytes, annotations: keyless });
  t.equal(verifier.kind, 'certificate');
  if (verifier.kind !== 'certificate') return;
  const fingerprints = chain.certificates.map(({ fingerprint }) => fingerprint);
  t.same(
    verifier.chain.map(({ fingerprint }) => fingerprint),
    fingerprints,
    'the leaf first',
  );
  t.same(logEntries, [
    {
      logId: Buffer.from(logId, 'hex'),
      logIndex: 0,
      kind: 'hashedrekord',
      version: '0.0.1',
      body,
      integratedTimeSeconds: 1_674_251_859,
      promise: Buffer.from('promise'),
    },
  ]);
  t.same(timestamps, [Buffer.from('timestamp')]);
});

t.test('of an attestation the timestamp is over the whole layer', async (t) => {
  const layer = Buffer.from(JSON.stringify(statement));
  const annotations = { ...keyless, [names.signature]: '' };
  t.match(readLegacyAttestation({ bytes: layer, annotations }, here), {
    content: {
      kind: 'dsse',
      payloadType: 'application/vnd.in-toto+json',
      payload: Buffer.from('{}'),
      envelope: layer,
    },
    signature: Buffer.from('signature'),
    verifier: { kind: 'certificate' },
    timestamped: layer,
  });
});

const bundleOf = (changes: object): string =>
  JSON.stringify({ ...promised, Payload: { ...payload, ...changes } });
const refused: Readonly<Record<string, readonly [changes: Record<string, string>, why: RegExp]>> = {
  'no signature': [{ [names.signature]: '' }, /signature is missing or no base64/],
  'a signature in base64url': [{ [names.signature]: '-_-_' }, /signature is missing or no base64/],
  'a certificate that is a key': [
    { [names.certificate]: leaf.pem.replaceAll('CERTIFICATE', 'PUBLIC KEY') },
    /certificate: .*not certificates in PEM/,
  ],
  'text for a certificate': [{ [names.certificate]: 'x' }, /not certificates in PEM/],
  'a certificate that is none': [
    { [names.certificate]: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' },
    /dev.sigstore.cosign\/certificate: not DER/,
  ],
  'two leaves': [{ [names.certificate]: chain.pem }, /more than 1 certificates/],
  'an endless chain': [{ [names.chain]: leaf.pem.repeat(9) }, /more than 8 certificates/],
  'a chain of nobody': [{ [names.certificate]: '' }, /chain is there without/],
  'a bundle that is no JSON': [{ [names.bundle]: '{' }, /bundle: it is no JSON/],
  'a bundle with more': [
    { [names.bundle]: JSON.stringify({ ...promised, more: 1 }) },
    /bundle: "more" is not known/,
  ],
  'a bundle without promise': [
    { [names.bundle]: JSON.stringify({ Payload: payload }) },
    /SignedEntryTimestamp is missing/,
  ],
  'a bundle without entry': [
    { [names.bundle]: JSON.stringify({ SignedEntryTimestamp: 'AAAA' }) },
    /Payload is missing/,
  ],
  'an entry with more': [{ [names.bundle]: bundleOf({ more: 1 }) }, /Payload\."more" is not known/],
  'an entry without body': [{ [names.bundle]: bundleOf({ body: '' }) }, /Payload.body is empty/],
  'a body that is an object': [{ [names.bundle]: bundleOf({ body: {} }) }, /body is no text/],
  'a body that is no JSON': [
    { [names.bundle]: bundleOf({ body: base64('x') }) },
    /the body of its log entry: it is no JSON/,
  ],
  'a body without kind': [{ [names.bundle]: bundleOf({ body: base64('{}') }) }, /kind is missing/],
  'a log id in upper case': [{ [names.bundle]: bundleOf({ logID: 'C0'.repeat(32) }) }, /logID/],
  'a short log id': [{ [names.bundle]: bundleOf({ logID: 'c0' }) }, /logID/],
  'a log id and a line break': [{ [names.bundle]: bundleOf({ logID: `${logId}\n` }) }, /logID/],
  'a negative index': [{ [names.bundle]: bundleOf({ logIndex: -1 }) }, /logIndex is no count/],
  'no index': [{ [names.bundle]: bundleOf({ logIndex: null }) }, /logIndex is no count/],
  'a time with fractions': [
    { [names.bundle]: bundleOf({ integratedTime: 1.5 }) },
    /integratedTime is no count/,
  ],
  'an endless bundle': [{ [names.bundle]: 'x'.repeat(2 ** 21 + 1) }, /bundle is longer than/],
  'a timestamp with more': [
    { [names.timestamp]: '{"SignedRFC3161Timestamp":"AAAA","more":1}' },
    /rfc3161timestamp: "more" is not known/,
  ],
  'no timestamp in its annotation': [
    { [names.timestamp]: '{}' },
    /SignedRFC3161Timestamp is missing/,
  ],
};
for (const [what, [changes, why]] of Object.entries(refused)) {
  t.test(`a signature with ${what} is refused`, async (t) => {
    const annotations = { ...keyless, ...changes };
    t.throws(() => readLegacySignature({ bytes, annotations }), { message: why });
  });
}

t.test('a payload beyond its bound is refused', async (t) => {
  const large = { bytes: Buffer.alloc(maxPayloadBytes + 1), annotations: keyless };
  t.throws(() => readLegacySignature(large), { code: 'COSIGN_MALFORMED', message: /larger than/ });
});

t.test('annotations are no prototype', async (t) => {
  const annotations = Object.create(keyless) as Record<string, string>;
  t.throws(() => readLegacySignature({ bytes, annotations }), { code: 'COSIGN_MALFORMED' });
});

const attestations: Readonly<Record<string, readonly [layer: unknown, why: RegExp]>> = {
  'two signatures': [
    { ...statement, signatures: [statement.signatures[0], statement.signatures[0]] },
    /more than one signature/,
  ],
  'no signature': [{ ...statement, signatures: [] }, /it has no signature/],
  'a member of its own': [{ ...statement, more: 1 }, /"more" is not known/],
};
for (const [what, [layer, why]] of Object.entries(attestations)) {
  t.test(`an attestation with ${what} is refused`, async (t) => {
    const untrusted = { bytes: Buffer.from(JSON.stringify(layer)), annotations: {} };
    t.throws(() => readLegacyAttestation(untrusted, here), { message: why });
  });
}

t.test('an attestation with a signature beside it is refused', async (t) => {
  const untrusted = { bytes: Buffer.from(JSON.stringify(statement)), annotations: keyless };
  t.throws(() => readLegacyAttestation(untrusted, here), {
    code: 'COSIGN_MALFORMED',
    message: /not empty/,
  });
});

t.test('a large attestation is read apart', async (t) => {
  const bytes = Buffer.from(JSON.stringify({ ...statement, payload: base64('x'.repeat(300_000)) }));
  const readApart: ReadApart = async (task) => {
    t.match(task, { kind: 'dsse-envelope', bytes });
    return readEnvelope(task);
  };
  const { content } = await readLegacyAttestation(
    { bytes, annotations: {} },
    { ...here, readApart },
  );
  t.match(content, { kind: 'dsse', payload: Buffer.from('x'.repeat(300_000)) });
});
