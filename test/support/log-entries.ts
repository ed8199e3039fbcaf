import { createHash } from 'node:crypto';
import { makeChain } from './test-ca.ts';
import { spkiOf, testKey } from './test-keys.ts';

export const chain = makeChain();
export const publicKeyDer = spkiOf(testKey('EC-256', 'log entry'));

const lines = publicKeyDer.toString('base64').match(/.{1,64}/g) ?? [];
export const publicKeyPem = [
  '-----BEGIN PUBLIC KEY-----',
  ...lines,
  '-----END PUBLIC KEY-----',
  '',
].join('\n');

export const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64');
const digest = createHash('sha256').update('artifact').digest();
const hash = { algorithm: 'sha256', value: digest.toString('hex') };
const hashV2 = { algorithm: 'SHA2_256', digest: base64(digest) };
const certificate = base64(chain.leaf.pem);
const key = base64(publicKeyPem);
const verifierV2 = {
  keyDetails: 'PKIX_ECDSA_P256_SHA_256',
  x509Certificate: { rawBytes: base64(chain.leaf.der) },
};
const signature = base64('signature');

/** One good body of each kind and version, as the logs write them. */
export const logEntries = {
  'hashedrekord 0.0.1': {
    data: { hash },
    signature: { content: signature, publicKey: { content: certificate } },
  },
  'hashedrekord 0.0.2': {
    hashedRekordV002: { data: hashV2, signature: { content: signature, verifier: verifierV2 } },
  },
  'dsse 0.0.1': {
    envelopeHash: hash,
    payloadHash: hash,
    signatures: [{ signature, verifier: key }],
  },
  'dsse 0.0.2': {
    dsseV002: { payloadHash: hashV2, signatures: [{ content: signature, verifier: verifierV2 }] },
  },
  'intoto 0.0.1': { content: { hash, payloadHash: hash }, publicKey: key },
  'intoto 0.0.2': {
    content: {
      envelope: {
        payloadType: 'application/vnd.in-toto+json',
        signatures: [{ publicKey: certificate, sig: base64(signature) }],
      },
      hash,
      payloadHash: hash,
    },
  },
  'rekord 0.0.1': {
    data: { hash },
    signature: { content: signature, format: 'x509', publicKey: { content: key } },
  },
} as const;

export type EntryName = keyof typeof logEntries;

export function entryBody(name: EntryName, spec: unknown = logEntries[name]): Buffer {
  const [kind, apiVersion] = name.split(' ');
  return Buffer.from(JSON.stringify({ apiVersion, kind, spec }));
}
