import { createHash, type KeyObject, sign } from 'node:crypto';
import { buildImage } from './build-image.ts';
import { type BundleEntry, logged, type LogOverrides, loggedV2 } from './bundle-entry.ts';
import { type FulcioSignerPlan, makeFulcioSigner } from './sigstore-signer.ts';
import { type TimestampOverrides, timestampResponse, timestampToken } from './sign-timestamp.ts';
import { type KeyKind, spkiOf, testKey } from './test-keys.ts';

type Json = Readonly<Record<string, unknown>>;

interface BundleJson extends Json {
  readonly verificationMaterial: Json;
}

/** What a bundle is made of. Without overrides it keeps every rule; each breaks or changes one thing. */
export interface BundlePlan {
  /** A statement in DSSE unless told. */
  readonly content?: 'statement' | 'artifact';
  /** cosign's signature unless told. */
  readonly predicateType?: string;
  /** Changes the statement. */
  readonly statement?: (statement: Json) => unknown;
  /** Instead of the statement. */
  readonly payload?: Uint8Array;
  readonly payloadType?: string;
  /** A certificate of Fulcio's unless told; a key by its kind. */
  readonly key?: KeyKind;
  readonly certificate?: FulcioSignerPlan;
  /** Another key makes the signature. */
  readonly signWith?: KeyObject;
  /** One of Rekor v1 unless told. */
  readonly entries?: readonly EntryPlan[];
  /** None unless told. */
  readonly timestamps?: readonly TimestampPlan[];
  readonly mediaType?: string;
  /** Changes the whole bundle. */
  readonly bundle?: (bundle: BundleJson) => unknown;
}

export interface EntryPlan extends LogOverrides {
  readonly rekor?: 'v1' | 'v2';
  /** Another kind and version than fits best, such as `intoto 0.0.2`. */
  readonly as?: string;
  /** What it is about instead. */
  readonly about?: Partial<Signed>;
  /** Changes its body before the log takes it in. */
  readonly body?: (body: Json) => unknown;
  /** Changes it in the bundle. */
  readonly entry?: (entry: BundleEntry) => unknown;
}

export interface TimestampPlan extends TimestampOverrides {
  /** What it is over instead of the signature. */
  readonly over?: Uint8Array;
}

interface Signed {
  readonly signature: Uint8Array;
  readonly payload: Uint8Array;
  /** The bytes that the signature is over. */
  readonly message: Uint8Array;
  /** PEM of the certificate or key. */
  readonly verifier: string;
  /** DER of the same. */
  readonly verifierDer: Uint8Array;
}

export interface MadeBundle {
  readonly bytes: Buffer;
  readonly bundle: Json;
  readonly signed: Signed;
}

export const image = buildImage();
export const newMediaType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
export const signType = 'https://sigstore.dev/cosign/sign/v1';
const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64');
const hashHex = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export function pem(label: string, der: Uint8Array): string {
  const lines = base64(der).match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

/** A Sigstore bundle as cosign 3 writes it, made without any of our own code. */
export function makeBundle(plan: BundlePlan = {}): MadeBundle {
  const { content = 'statement', mediaType = newMediaType } = plan;
  const payloadType = plan.payloadType ?? 'application/vnd.in-toto+json';
  const payload = plan.payload ?? Buffer.from(JSON.stringify(statementOf(plan)));
  const message = content === 'artifact' ? image.bytes : preAuth(payloadType, payload);
  const signer = signerOf(plan);
  const signature = signMessage(plan.signWith ?? signer.privateKey, message);
  const signed = { signature, payload, message, ...signer };
  const entries = (plan.entries ?? [{}]).map((entry) => entryOf(entry, signed, content));
  const timestamps = (plan.timestamps ?? []).map(({ over = signature, ...overrides }) => ({
    signedTimestamp: base64(
      timestampResponse(timestampToken(over, { genTime: '20300101000002Z', ...overrides })),
    ),
  }));
  const made = {
    mediaType,
    verificationMaterial: {
      ...signer.material,
      ...(entries.length > 0 && { tlogEntries: entries }),
      ...(timestamps.length > 0 && {
        timestampVerificationData: { rfc3161Timestamps: timestamps },
      }),
    },
    ...(content === 'artifact'
      ? {
          messageSignature: {
            messageDigest: {
              algorithm: 'SHA2_256',
              digest: base64(Buffer.from(hashHex(message), 'hex')),
            },
            signature: base64(signature),
          },
        }
      : {
          dsseEnvelope: {
            payload: base64(payload),
            payloadType,
            signatures: [{ sig: base64(signature) }],
          },
        }),
  };
  const bundle = (plan.bundle === undefined ? made : plan.bundle(made)) as Json;
  return { bytes: Buffer.from(JSON.stringify(bundle)), bundle, signed };
}

function statementOf({ predicateType = signType, statement }: BundlePlan): unknown {
  const plain = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ digest: { sha256: image.descriptor.digest.slice(7) } }],
    predicateType,
    predicate: {},
  };
  return statement === undefined ? plain : statement(plain);
}

export function preAuth(type: string, payload: Uint8Array): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

function signerOf({ key, certificate }: BundlePlan) {
  if (key !== undefined) {
    const privateKey = testKey(key, 'sigstore');
    const der = spkiOf(privateKey);
    const hint = createHash('sha256').update(der).digest('base64');
    const material: Json = { publicKey: { hint } };
    return { privateKey, material, verifier: pem('PUBLIC KEY', der), verifierDer: der };
  }
  const { leaf } = makeFulcioSigner(certificate);
  const { der, privateKey } = leaf;
  const material: Json = { certificate: { rawBytes: base64(der) } };
  return { privateKey, material, verifier: pem('CERTIFICATE', der), verifierDer: der };
}

/** By the hash that goes with the key, as Sigstore's signers do. */
export function signMessage(key: KeyObject, message: Uint8Array): Buffer {
  if (key.asymmetricKeyType === 'ed25519') return sign(null, message, key);
  const { namedCurve = '' } = key.asymmetricKeyDetails ?? {};
  const hash = { secp384r1: 'sha384', secp521r1: 'sha512' }[namedCurve] ?? 'sha256';
  return sign(hash, message, key);
}

function entryOf(plan: EntryPlan, signed: Signed, content: 'statement' | 'artifact'): unknown {
  const { rekor = 'v1', about, body = (same) => same, entry = (same) => same } = plan;
  const fitting = content === 'artifact' ? 'hashedrekord 0.0.1' : 'dsse 0.0.1';
  const name = plan.as ?? (rekor === 'v2' ? 'hashedrekord 0.0.2' : fitting);
  const [kind = '', version = ''] = name.split(' ');
  const spec = specs[name]?.({ ...signed, ...about });
  const bytes = Buffer.from(JSON.stringify(body({ apiVersion: version, kind, spec })));
  const made = (rekor === 'v2' ? loggedV2 : logged)(bytes, { kind, version }, plan);
  return entry(made as BundleEntry);
}

const hashed = (bytes: Uint8Array) => ({ algorithm: 'sha256', value: hashHex(bytes) });
const hashedV2 = (bytes: Uint8Array) => ({
  algorithm: 'SHA2_256',
  digest: base64(Buffer.from(hashHex(bytes), 'hex')),
});
const verifierV2 = ({ verifier, verifierDer }: Signed) => {
  const rawBytes = base64(verifierDer);
  const isKey = verifier.includes('PUBLIC KEY');
  const keyDetails = 'PKIX_ECDSA_P256_SHA_256';
  return isKey
    ? { keyDetails, publicKey: { rawBytes } }
    : { keyDetails, x509Certificate: { rawBytes } };
};

/** What a log keeps of each kind. */
const specs: Readonly<Record<string, (signed: Signed) => unknown>> = {
  'hashedrekord 0.0.1': ({ message, signature, verifier }) => ({
    data: { hash: hashed(message) },
    signature: { content: base64(signature), publicKey: { content: base64(verifier) } },
  }),
  'hashedrekord 0.0.2': (signed) => ({
    hashedRekordV002: {
      data: hashedV2(signed.message),
      signature: { content: base64(signed.signature), verifier: verifierV2(signed) },
    },
  }),
  'dsse 0.0.1': ({ payload, signature, verifier }) => ({
    envelopeHash: hashed(Buffer.from('an envelope as the client wrote it')),
    payloadHash: hashed(payload),
    signatures: [{ signature: base64(signature), verifier: base64(verifier) }],
  }),
  'dsse 0.0.2': (signed) => ({
    dsseV002: {
      payloadHash: hashedV2(signed.payload),
      signatures: [{ content: base64(signed.signature), verifier: verifierV2(signed) }],
    },
  }),
  'intoto 0.0.1': ({ payload, verifier }) => ({
    content: { hash: hashed(Buffer.from('an envelope')), payloadHash: hashed(payload) },
    publicKey: base64(verifier),
  }),
  'intoto 0.0.2': ({ payload, signature, verifier }) => ({
    content: {
      envelope: {
        payloadType: 'application/vnd.in-toto+json',
        signatures: [{ publicKey: base64(verifier), sig: base64(base64(signature)) }],
      },
      hash: hashed(Buffer.from('an envelope')),
      payloadHash: hashed(payload),
    },
  }),
  'rekord 0.0.1': ({ message, signature, verifier }) => ({
    data: { hash: hashed(message) },
    signature: {
      content: base64(signature),
      format: 'x509',
      publicKey: { content: base64(verifier) },
    },
  }),
};
