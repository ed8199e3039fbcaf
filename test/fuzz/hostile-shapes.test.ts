import { createPublicKey } from 'node:crypto';
import * as fc from 'fast-check';
import t from 'tap';
import { normalizeBer } from '../../src/crypto/ber.ts';
import { readCbor } from '../../src/crypto/cbor.ts';
import { readCertificate } from '../../src/crypto/certificate.ts';
import { readCheckpoint } from '../../src/crypto/checkpoint.ts';
import { findSignatureFault } from '../../src/crypto/cms-signer.ts';
import { readSignedData } from '../../src/crypto/cms.ts';
import { findEntries } from '../../src/crypto/crl-entries.ts';
import { readCrl } from '../../src/crypto/crl.ts';
import { readDer } from '../../src/crypto/der.ts';
import { readDsseEnvelope } from '../../src/crypto/dsse.ts';
import { EnvelopeError } from '../../src/crypto/envelope-error.ts';
import { readEssCertificateId } from '../../src/crypto/ess-certificate-id.ts';
import { readFulcioIdentity } from '../../src/crypto/fulcio-extensions.ts';
import { answerOf } from '../../src/crypto/ocsp-answer.ts';
import { readOcspResponse } from '../../src/crypto/ocsp-response.ts';
import { readPem } from '../../src/crypto/pem.ts';
import { readPublicKey } from '../../src/crypto/public-key.ts';
import { findTimestampSigner } from '../../src/crypto/timestamp-signer.ts';
import { readTimestampResponse, readTimestampToken } from '../../src/crypto/timestamp-token.ts';
import { readTstInfo } from '../../src/crypto/tst-info.ts';
import { readCoseEnvelope } from '../../src/formats/notation-cose.ts';
import { readJwsEnvelope } from '../../src/formats/notation-jws.ts';
import { checkPayloadNamesSubject } from '../../src/formats/notation/payload.ts';
import { readSignedAttributes } from '../../src/formats/notation/signed-attributes.ts';
import { readBundleParts } from '../../src/formats/sigstore/bundle-parts.ts';
import { JsonError, readJson } from '../../src/kernel/json.ts';
import { readTrustedRoot } from '../../src/trust/sigstore/trusted-root.ts';
import { TrustError } from '../../src/trust/trust-error.ts';
import { buildImage } from '../support/build-image.ts';
import { derMutationsOf } from '../support/der-mutations-of.ts';
import { fulcioExtensions } from '../support/fulcio-certificate.ts';
import { holds } from '../support/holds.ts';
import { jsonMutationsOf } from '../support/json-mutations-of.ts';
import { mutationsOf } from '../support/mutations-of.ts';
import { makeRevocationCase } from '../support/revocation-kit.ts';
import { notationSignature, payloadType } from '../support/sign-notation.ts';
import { timestampResponse, timestampToken, tstInfo } from '../support/sign-timestamp.ts';
import { makeBundle } from '../support/sigstore-bundle.ts';
import { makeChain } from '../support/test-ca.ts';
import { buildCrl } from '../support/test-crl.ts';
import { buildOcsp } from '../support/test-ocsp.ts';
import { trustedRootJson } from '../support/trusted-root.ts';

// Every reader of bytes that a stranger sends, in one table: it returns, or throws the error that
// is its own, within the time of a case (see `holds`) and without growing what it was given.

interface Reader {
  readonly good: Uint8Array;
  readonly read: (bytes: Uint8Array) => unknown;
}

const image = buildImage();
const envelopeOnce = envelope('jws');
const { leaf, issuer, read } = makeRevocationCase();
const [certificate, authority] = read;
const message = Buffer.from('hello');
const now = new Date('2030-01-01T00:00:00Z');
const fulcioLeaf = makeChain({ leaf: { extensions: fulcioExtensions() } }).leaf;

function envelope(format: 'jws' | 'cose'): Uint8Array {
  const expiry = '2031-01-01T00:00:00Z';
  const timestamp = (signature: Uint8Array): Uint8Array => timestampToken(signature);
  return notationSignature({ format, of: image.descriptor, expiry, timestamp }).envelope;
}

const derReaders: Readonly<Record<string, Reader>> = {
  'a certificate': { good: makeChain().leaf.der, read: readCertificate },
  'a certificate of Fulcio': {
    good: fulcioLeaf.der,
    read: (bytes) => readFulcioIdentity(readCertificate(bytes)),
  },
  'a public key': {
    good: createPublicKey(leaf.privateKey).export({ format: 'der', type: 'spki' }),
    read: readPublicKey,
  },
  'an element': { good: tstInfo(message), read: (bytes) => readDer(bytes) },
  BER: { good: timestampToken(message), read: normalize },
  'signed data': { good: timestampToken(message), read: readSigners },
  'a timestamp token': {
    good: timestampToken(message),
    read: (bytes) => findTimestampSigner(readTimestampToken(bytes)),
  },
  'the answer of a timestamp authority': {
    good: timestampResponse(timestampToken(message)),
    read: readTimestampResponse,
  },
  'a TSTInfo': { good: tstInfo(message), read: readTstInfo },
  'an OCSP response': {
    good: buildOcsp({ issuer, answers: [{ certificate: leaf, status: { reason: 1 } }] }),
    read: (bytes) => answerOf(readOcspResponse(bytes), certificate, authority, now),
  },
  'a revocation list': {
    good: buildCrl({ issuer, revoked: [{ certificate: leaf, reason: 4 }] }),
    read: readList,
  },
};

const jsonReaders: Readonly<Record<string, Reader>> = {
  JSON: { good: envelope('jws'), read: (bytes) => readJson(bytes) },
  'a JWS': { good: envelope('jws'), read: (bytes) => readSignedAttributes(readJwsEnvelope(bytes)) },
  'a protected header': { good: decoded('protected'), read: asMember('protected') },
  'a payload': { good: decoded('payload'), read: readPayload },
  'a DSSE envelope': {
    good: Buffer.from(
      '{"payloadType":"a","payload":"AAAA","signatures":[{"sig":"AAAA","keyid":"k"}]}',
    ),
    read: (bytes) => readDsseEnvelope(bytes, 1_000_000),
  },
  'a Sigstore bundle': {
    good: makeBundle({ timestamps: [{}] }).bytes,
    read: (bytes) => readBundleParts(bytes, 1_000_000),
  },
  'a trusted root': { good: trustedRootJson(), read: readTrustedRoot },
};

const otherReaders: Readonly<Record<string, Reader>> = {
  COSE_Sign1: {
    good: envelope('cose'),
    read: (bytes) => readSignedAttributes(readCoseEnvelope(bytes)),
  },
  CBOR: {
    good: envelope('cose'),
    read: (bytes) => readCbor(bytes, { maxBytes: 1_000_000, maxDepth: 8 }),
  },
  PEM: {
    good: Buffer.from(makeChain().pem),
    read: (bytes) => readPem(Buffer.from(bytes).toString('latin1')),
  },
  'a checkpoint': {
    good: Buffer.from(
      `log.test\n42\n${Buffer.alloc(32).toString('base64')}\n\n\u2014 log.test AAAAAAAAAAAA\n`,
    ),
    read: (bytes) => readCheckpoint(Buffer.from(bytes).toString('utf8')),
  },
};

const all = { ...derReaders, ...jsonReaders, ...otherReaders };

t.test(
  'each reader takes what is good, so that its changes get further than its first byte',
  async (t) => {
    for (const [what, { good, read }] of Object.entries(all))
      t.doesNotThrow(() => read(good), what);
  },
);

for (const [what, { good, read }] of Object.entries(derReaders)) {
  t.test(`whatever its elements are, ${what} is read or refused`, async (t) => {
    const property = fc.property(derMutationsOf(good), (bytes) => tryRead(read, bytes));
    await holds(t, 'elements changed, lengths right', property);
  });
}

for (const [what, { good, read }] of Object.entries(jsonReaders)) {
  t.test(`whatever its members are, ${what} is read or refused`, async (t) => {
    const property = fc.property(jsonMutationsOf(good), (bytes) => tryRead(read, bytes));
    await holds(t, 'members changed', property);
  });
}

for (const [what, { good, read }] of Object.entries(otherReaders)) {
  t.test(`whatever its bytes, ${what} is read or refused`, async (t) => {
    const property = fc.property(mutationsOf(good), (bytes) => tryRead(read, bytes));
    await holds(t, 'some bytes changed', property);
  });
}

t.test('large and monotonous, everything is read or refused in time', async (t) => {
  const pattern = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 6 }),
    fc.constantFrom(
      ...[
        '0\x80',
        '$\x80',
        '0\x00',
        '\x9f',
        '\x81',
        '\xd8',
        '[',
        '{"":',
        '"\\',
        '[0,',
        '-----',
      ].map((text) => Buffer.from(text, 'latin1')),
    ),
  );
  const sized = fc.tuple(pattern, fc.integer({ min: 1, max: 60_000 }), fc.nat(), fc.boolean());
  const readers = Object.values(all);
  const property = fc.property(
    sized,
    fc.constantFrom(...readers),
    ([bytes, size, at, isInside], { good, read }) => {
      const many = Buffer.alloc(size, Buffer.from(bytes));
      const middle = isInside ? at % good.length : 0;
      const hostile = [good.subarray(0, middle), many, good.subarray(middle)];
      tryRead(read, Buffer.concat(hostile));
    },
  );
  await holds(t, 'the same bytes again and again', property);
});

function tryRead(read: Reader['read'], bytes: Uint8Array): void {
  try {
    read(bytes);
  } catch (error) {
    const isOwn =
      error instanceof EnvelopeError || error instanceof TrustError || error instanceof JsonError;
    if (!isOwn) throw error;
  }
}

function normalize(bytes: Uint8Array): void {
  const der = normalizeBer(bytes, 1_000_000);
  if (der.length > bytes.length + 2) throw new TypeError('it grew');
}

function readSigners(bytes: Uint8Array): void {
  const data = readSignedData(bytes);
  for (const signer of data.signers) {
    tryRead(() => readEssCertificateId(signer), bytes);
    for (const each of data.certificates) {
      tryRead(() => findSignatureFault(signer, data, each), bytes);
    }
  }
}

function readList(bytes: Uint8Array): void {
  const steps = findEntries(readCrl(bytes).entries, certificate.serialNumber);
  while (steps.next().done !== true);
}

function decoded(member: 'protected' | 'payload'): Uint8Array {
  const { [member]: text } = JSON.parse(Buffer.from(envelope('jws')).toString()) as Record<
    string,
    string
  >;
  return Buffer.from(text ?? '', 'base64url');
}

/** Reads the envelope with these bytes as one of its members. */
function asMember(member: string): Reader['read'] {
  const whole = JSON.parse(Buffer.from(envelope('jws')).toString()) as Record<string, unknown>;
  return (bytes) => {
    const text = Buffer.from(bytes).toString('base64url');
    return readSignedAttributes(
      readJwsEnvelope(Buffer.from(JSON.stringify({ ...whole, [member]: text }))),
    );
  };
}

/** A failed check is an answer too. */
function readPayload(payload: Uint8Array): unknown {
  const signed = readJwsEnvelope(envelopeOnce);
  return checkPayloadNamesSubject(
    { ...signed, contentType: payloadType, payload },
    image.descriptor,
  );
}
