import { type SignatureAlgorithm, verifySignature } from '../crypto/algorithms.ts';
import { type Cbor, type CborLabel, type CborMap, isCborArray, isCborTag } from '../crypto/cbor.ts';
import { type CoseSign1, coseLabels, readCoseSign1, toBeSigned } from '../crypto/cose-sign1.ts';
import { EnvelopeError } from '../crypto/envelope-error.ts';
import type { Json } from '../kernel/json.ts';
import { quoted } from '../kernel/quoted.ts';
import { notationChecks } from './notation/checks.ts';
import { examineNotation } from './notation/examination.ts';
import {
  attributeNames,
  expectCertificates,
  maxEnvelopeBytes,
  type NotationEnvelope,
} from './notation/notation-envelope.ts';
import { isSignatureManifest, notationArtifactType } from './notation/signature-manifest.ts';
import { thumbprintHint } from './notation/thumbprint-hint.ts';
import type { SignatureFormat } from './signature-format.ts';

/** Notary Project signatures in COSE (signature-envelope-cose.md). */
export const notationCose: SignatureFormat = {
  id: 'notation-cose',
  family: 'notation',
  checks: notationChecks,
  maxEnvelopeBytes,
  artifactTypes: [notationArtifactType],
  envelopesOf: (manifest) =>
    isSignatureManifest(manifest, 'application/cose') ? manifest.layers : [],
  hints: thumbprintHint,
  examine: ({ bytes: untrustedEnvelope }, subject, requirement, context) =>
    examineNotation({ untrustedEnvelope, read: readCoseEnvelope, subject, requirement, context }),
};

// RFC 9053, sections 2.1, and RFC 8230, section 2.
const algorithms: ReadonlyMap<Cbor, SignatureAlgorithm> = new Map([
  [-37, 'PS256'],
  [-38, 'PS384'],
  [-39, 'PS512'],
  [-7, 'ES256'],
  [-35, 'ES384'],
  [-36, 'ES512'],
]);

/** RFC 9360, section 2. */
const x5chain = 33;

export function readCoseEnvelope(untrusted: Uint8Array): NotationEnvelope {
  const message = readCoseSign1(untrusted, maxEnvelopeBytes);
  const { protectedHeader, payload, signature } = message;
  const attributes = new Map(protectedHeader);
  for (const label of Object.values(coseLabels)) attributes.delete(label);
  return {
    claimedAlgorithm: readAlgorithm(protectedHeader),
    contentType: expectText(protectedHeader.get(coseLabels.contentType), 'content type'),
    critical: readCritical(protectedHeader.get(coseLabels.critical)),
    labels: new Set(attributes.keys()),
    text: (name) => (attributes.has(name) ? expectText(attributes.get(name), name) : undefined),
    time: (name) => (attributes.has(name) ? expectTime(attributes.get(name), name) : undefined),
    json: (name) => expectPlain(attributes.get(name), name),
    payload,
    signature,
    ...readCertificatesAndToken(message),
    isSignedBy: (key, algorithm) => verifySignature(algorithm, key, toBeSigned(message), signature),
  };
}

function readAlgorithm(header: CborMap): string {
  const claimed = header.get(coseLabels.algorithm);
  if (typeof claimed !== 'number') throw malformed('alg is missing or no integer');
  return algorithms.get(claimed) ?? String(claimed);
}

/** RFC 9052, section 3.1: never empty, and no labels from 0 to 7, which everybody knows. */
function readCritical(untrusted: Cbor | undefined): readonly CborLabel[] {
  if (!isCborArray(untrusted) || untrusted.length === 0) {
    throw malformed('crit is missing or empty');
  }
  return untrusted.map((label) => {
    if (typeof label === 'string' || typeof label === 'number' || typeof label === 'bigint') {
      return label;
    }
    throw malformed('crit lists what is no label');
  });
}

/** signature-envelope-cose.md, Unprotected Headers: x5chain may stand in the protected one too. */
function readCertificatesAndToken({
  protectedHeader,
  unprotectedHeader,
}: CoseSign1): Pick<NotationEnvelope, 'certificates' | 'timestampToken'> {
  const chain = unprotectedHeader.get(x5chain) ?? protectedHeader.get(x5chain);
  if (!isCborArray(chain)) throw malformed('x5chain is missing or no list');
  const certificates = chain.map((item) => expectBytes(item, 'a certificate in x5chain'));
  const token = unprotectedHeader.get(attributeNames.timestampSignature);
  return {
    certificates: expectCertificates(certificates, 'COSE_MALFORMED'),
    timestampToken:
      token === undefined ? undefined : expectBytes(token, attributeNames.timestampSignature),
  };
}

function expectText(value: Cbor | undefined, what: string): string {
  if (typeof value !== 'string' || value === '') {
    throw malformed(`${what} is missing, empty or no text`);
  }
  return value;
}

/** What both CBOR and JSON have, and no structure: no plugin is known that signs more. */
function expectPlain(value: Cbor | undefined, what: string): Json {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw malformed(
    `${quoted(what)} is no text, integer or truth value, which a plugin could be told`,
  );
}

function expectBytes(value: Cbor | undefined, what: string): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length === 0) {
    throw malformed(`${what} is empty or no byte string`);
  }
  return value;
}

// 9999-12-31T23:59:59Z, the last that RFC 3339 and certificates can write.
const maxEpochSeconds = 253_402_300_799;

/** RFC 8949, section 3.4.2: tag 1 over seconds since 1970; whole ones here. */
function expectTime(value: Cbor | undefined, what: string): Date {
  const seconds = isCborTag(value) && value.tag === 1 ? value.content : undefined;
  if (typeof seconds !== 'number' || seconds < 0 || seconds > maxEpochSeconds) {
    throw malformed(`${what} is no epoch time (tag 1)`);
  }
  return new Date(seconds * 1000);
}

function malformed(why: string): EnvelopeError {
  return new EnvelopeError('COSE_MALFORMED', `not a Notation COSE envelope: ${why}`);
}
