import { type DsseEnvelope, readDsseFields } from '../../crypto/dsse.ts';
import { protobufHashes } from '../../crypto/hash-algorithm.ts';
import { type JsonFields, readJsonFields } from '../../crypto/json-fields.ts';
import { quoted } from '../../kernel/quoted.ts';
import { readBundleEntries } from './bundle-entries.ts';
import { type BundleVersion, bundleVersions, malformedBundle } from './bundle-version.ts';
import type { ClaimedLogEntry, SignedContent } from './sigstore-envelope.ts';
import { readStatementHead } from './statement-head.ts';

/** A Sigstore bundle as plain data, so that it may be read in another thread. */
export interface BundleParts {
  readonly content: Extract<SignedContent, { kind: 'dsse' | 'artifact' }>;
  readonly signature: Uint8Array;
  readonly verifier:
    /** DER, the leaf first. */
    | { readonly kind: 'certificate'; readonly chain: readonly Uint8Array[] }
    | { readonly kind: 'public-key'; readonly hint?: string };
  readonly logEntries: readonly ClaimedLogEntry[];
  readonly timestamps: readonly Uint8Array[];
}

const maxTimestamps = 32;
const maxCertificates = 8;
const maxHintLength = 1024;
/** Three times what the largest of those bounds have. */
const maxValues = 10_000;

/**
 * Reads a Sigstore bundle (sigstore_bundle.proto; JSON as proto3 writes it, without the liberties
 * that it leaves to readers): versions 0.1 to 0.3, no member that is not known, exactly one DSSE
 * signature or one over an artifact, at most 32 log entries and 32 timestamps (GHSA-cq38-jh5f-37mq).
 * Throws `EnvelopeError`.
 */
export function readBundleParts(untrusted: Uint8Array, maxBytes: number): BundleParts {
  if (untrusted.length > maxBytes) throw malformedBundle(`it is larger than ${maxBytes} bytes`);
  const bundle = readJsonFields(untrusted, malformedBundle, maxValues);
  const mediaType = bundle.text('mediaType');
  const version = bundleVersions.get(mediaType);
  if (version === undefined) {
    throw malformedBundle(`its version is not known: mediaType ${quoted(mediaType)}`);
  }
  bundle.expectOnly('mediaType', 'verificationMaterial', 'dsseEnvelope', 'messageSignature');
  const material = bundle.object('verificationMaterial');
  return {
    ...readSigned(bundle),
    verifier: readVerifier(material, version),
    logEntries: readBundleEntries(material, version),
    timestamps: readTimestamps(material),
  };
}

function readSigned(bundle: JsonFields): Pick<BundleParts, 'content' | 'signature'> {
  if (bundle.has('dsseEnvelope') === bundle.has('messageSignature')) {
    throw malformedBundle('it has not one of dsseEnvelope and messageSignature');
  }
  return bundle.has('dsseEnvelope')
    ? toSigned(readDsseFields(bundle.object('dsseEnvelope')))
    : readMessageSignature(bundle.object('messageSignature'));
}

function toSigned({
  payloadType,
  payload,
  signatures,
}: DsseEnvelope): ReturnType<typeof readSigned> {
  const [first, ...others] = signatures;
  if (first === undefined || others.length > 0) {
    throw malformedBundle('its DSSE envelope has more than one signature');
  }
  const head = readStatementHead(payload);
  return { content: { kind: 'dsse', payloadType, payload, head }, signature: first.signature };
}

function readMessageSignature(fields: JsonFields): ReturnType<typeof readSigned> {
  fields.expectOnly('messageDigest', 'signature');
  const messageDigest = fields.object('messageDigest');
  messageDigest.expectOnly('algorithm', 'digest');
  const hash = protobufHashes.get(messageDigest.text('algorithm'));
  if (hash === undefined) throw malformedBundle('the hash of its artifact is of no accepted kind');
  const digest = messageDigest.bytes('digest');
  return { content: { kind: 'artifact', hash, digest }, signature: fields.bytes('signature') };
}

function readVerifier(material: JsonFields, version: BundleVersion): BundleParts['verifier'] {
  material.expectOnly(version.certificate, 'publicKey', 'tlogEntries', 'timestampVerificationData');
  if (material.has(version.certificate) === material.has('publicKey')) {
    throw malformedBundle(`it has not one of publicKey and ${version.certificate}`);
  }
  if (material.has('publicKey')) return readHint(material.object('publicKey'));
  const place = material.object(version.certificate);
  if (version.certificate === 'certificate') {
    return { kind: 'certificate', chain: [readRawBytes(place)] };
  }
  place.expectOnly('certificates');
  const chain = place.objects('certificates', maxCertificates).map(readRawBytes);
  return { kind: 'certificate', chain };
}

function readRawBytes(certificate: JsonFields): Uint8Array {
  certificate.expectOnly('rawBytes');
  return certificate.bytes('rawBytes');
}

function readHint(publicKey: JsonFields): BundleParts['verifier'] {
  publicKey.expectOnly('hint');
  if (!publicKey.has('hint')) return { kind: 'public-key' };
  const hint = publicKey.text('hint');
  if (hint.length > maxHintLength) throw malformedBundle('the hint at its key is too long');
  return { kind: 'public-key', hint };
}

function readTimestamps(material: JsonFields): readonly Uint8Array[] {
  if (!material.has('timestampVerificationData')) return [];
  const data = material.object('timestampVerificationData');
  data.expectOnly('rfc3161Timestamps');
  return data.objects('rfc3161Timestamps', maxTimestamps).map((timestamp) => {
    timestamp.expectOnly('signedTimestamp');
    return timestamp.bytes('signedTimestamp');
  });
}
