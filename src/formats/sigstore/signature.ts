import type { KeyObject } from 'node:crypto';
import { verifyDigestWithAny } from '../../crypto/prehashed-signature.ts';
import { verifyWithAny, verifyWithAnyApart } from '../../crypto/sigstore-key.ts';
import type { TrustedKey } from '../../verdict/sigstore-requirement.ts';
import { quoted } from '../../kernel/quoted.ts';
import { fail, pass } from '../finding.ts';
import type { Finding } from '../signature-format.ts';
import { hashOfSigned, signedBytesOf } from './content.ts';
import { maxBytesReadHere } from './read-apart.ts';
import type { SignerCandidate } from './signer-candidate.ts';
import type { SigstoreEnvelope } from './sigstore-envelope.ts';

/** Whose key made the signature. */
export type ProvenKey =
  { readonly kind: 'key'; readonly key: TrustedKey } | { readonly kind: 'certificate' };

export interface SignatureFound {
  readonly finding: Finding;
  readonly by?: ProvenKey;
}

/** Looks for the candidate's key that made the signature. */
export async function checkSignature(
  envelope: SigstoreEnvelope,
  candidate: SignerCandidate,
): Promise<SignatureFound> {
  if (candidate.kind === 'keys') return await checkAgainstKeys(envelope, candidate);
  const outcome = await verifySignature(envelope, candidate.leaf.publicKey);
  if (outcome === 'valid') return { finding: pass(), by: { kind: 'certificate' } };
  return { finding: fail('signature-invalid', notBy('the key of its certificate', outcome)) };
}

/** Where nothing says that it is by one of them, it is somebody else's rather than tampered with. */
async function checkAgainstKeys(
  envelope: SigstoreEnvelope,
  { keys, isNamed }: Extract<SignerCandidate, { kind: 'keys' }>,
): Promise<SignatureFound> {
  let outcome: Verification = 'invalid';
  for (const key of keys) {
    const result = await verifySignature(envelope, key.publicKey);
    if (result === 'valid') {
      return { finding: pass({ key: quoted(key.name, 200) }), by: { kind: 'key', key } };
    }
    if (result === 'unsupported') outcome = result;
  }
  const whom = keys.length === 1 ? `the key ${quoted(keys[0].name)}` : `any of ${keys.length} keys`;
  const because = notBy(whom, outcome);
  if (isNamed || outcome === 'unsupported') return { finding: fail('signature-invalid', because) };
  return {
    finding: fail('no-trusted-signer', `${because}: it is by another key, or was changed`),
  };
}

type Verification = ReturnType<typeof verifyDigestWithAny>;

async function verifySignature(
  { content, signature }: SigstoreEnvelope,
  key: KeyObject,
): Promise<Verification> {
  if (content.kind === 'artifact') {
    return verifyDigestWithAny(key, content.hash, content.digest, signature);
  }
  const { payload } = content;
  if (payload.length <= maxBytesReadHere) {
    return verifyWithAny(key, signedBytesOf(content), signature) ? 'valid' : 'invalid';
  }
  // Its hash is known already in the usual case.
  const hash = 'sha256';
  const digest = await hashOfSigned(content, hash);
  if (digest && verifyDigestWithAny(key, hash, digest, signature) === 'valid') return 'valid';
  const isValid = await verifyWithAnyApart(key, signedBytesOf(content), signature);
  return isValid ? 'valid' : 'invalid';
}

function notBy(whom: string, outcome: Verification): string {
  const why =
    outcome === 'unsupported'
      ? ': over a hash alone neither Ed25519 nor RSA-PSS can be verified'
      : '';
  return `the signature does not verify with ${whom}${why}`;
}
