import { createPublicKey } from 'node:crypto';
import t from 'tap';
import { publicKeyOf } from '../../src/crypto/public-key.ts';
import { cosignSimpleSigning } from '../../src/formats/cosign-simple-signing.ts';
import { legacyAnnotations } from '../../src/formats/sigstore/legacy-annotations.ts';
import type { UntrustedEnvelope } from '../../src/formats/signature-format.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import type { SigstoreIdentity } from '../../src/verdict/identity-requirement.ts';
import type { SigstoreRequirement } from '../../src/verdict/sigstore-requirement.ts';
import { runSteps } from '../support/run-steps.ts';
import { contextFor } from '../support/sigstore-case.ts';
import { since2021 } from '../support/trusted-root.ts';
import { type ReadVector, requireVectors } from '../support/vectors.ts';

// Signatures of the real cosign as containers/image keeps them, with its key and Rekor's.
const registry = '192.168.64.2:5000';

interface Recorded {
  readonly payload: string;
  readonly annotations: Readonly<Record<string, string>>;
}

function readSignature(read: ReadVector, folder: string): UntrustedEnvelope {
  const file = read(`gpg/${folder}/signature-1`).toString();
  // containers/image marks the format so, before the JSON.
  const { payload, annotations } = JSON.parse(file.slice(file.indexOf('{'))) as Recorded;
  return { bytes: Buffer.from(payload, 'base64'), annotations };
}

function requirementOf(
  pem: string | Buffer,
  requirement: Partial<SigstoreRequirement> = {},
): SigstoreIdentity {
  const { key, fingerprint } = publicKeyOf(createPublicKey(pem));
  const keys = [{ name: 'cosign.pub', publicKey: key, keyFingerprint: fingerprint }] as const;
  const thresholds = { minLogs: 0, minTimestamps: 0, minCertificateLogs: 0, root: undefined };
  const signer = { kind: 'keys', keys } as const;
  const sigstore = { signer, ...thresholds, signedAs: [registry], ...requirement };
  return { family: 'sigstore', name: 'recorded', sigstore };
}

function examine(
  read: ReadVector,
  folder: string,
  untrusted: UntrustedEnvelope,
  requirement: SigstoreIdentity,
) {
  const manifest = read(`gpg/${folder}/manifest.json`);
  const subject = {
    mediaType: mediaTypes.dockerManifest,
    digest: digestOf(manifest),
    size: manifest.length,
  };
  const root = { tlogs: [rekorOf(read)] };
  const context = contextFor({ root, now: '2026-11-01T00:00:00Z' });
  return runSteps(cosignSimpleSigning.examine(untrusted, subject, requirement, context));
}

/** As a trusted root has it. */
function rekorOf(read: ReadVector): Readonly<Record<string, unknown>> {
  const { key, fingerprint } = publicKeyOf(createPublicKey(read('gpg/rekor.pub')));
  const rawBytes = key.export({ type: 'spki', format: 'der' }).toString('base64');
  return {
    baseUrl: 'https://rekor.sigstore.dev',
    hashAlgorithm: 'SHA2_256',
    publicKey: { rawBytes, keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor: since2021 },
    logId: { keyId: Buffer.from(fingerprint, 'hex').toString('base64') },
  };
}

/** The key that made the signature, which only the log's entry has. */
function keyInLog({ annotations }: UntrustedEnvelope): Buffer {
  const bundle = JSON.parse(annotations[legacyAnnotations.bundle] ?? '') as {
    readonly Payload: { readonly body: string };
  };
  const body = JSON.parse(Buffer.from(bundle.Payload.body, 'base64').toString()) as {
    readonly spec: { readonly signature: { readonly publicKey: { readonly content: string } } };
  };
  return Buffer.from(body.spec.signature.publicKey.content, 'base64');
}

t.test('a signature with a key', async (t) => {
  const read = requireVectors(t);
  if (read === undefined) return;
  const folder = 'dir-img-cosign-valid';
  const untrusted = readSignature(read, folder);
  const requirement = requirementOf(read('gpg/cosign.pub'));
  const run = await examine(read, folder, untrusted, requirement);
  t.strictSame(run.stoppedBy, undefined);
  t.match(run.proven.signer, { kind: 'key', subject: 'cosign.pub' });
  const other = requirementOf(read('gpg/rekor.pub'));
  t.match(await examine(read, folder, untrusted, other), { stoppedBy: 'signature-verifies' });
  const unmapped = requirementOf(read('gpg/cosign.pub'), { signedAs: [] });
  t.match(await examine(read, folder, untrusted, unmapped), { stoppedBy: 'payload-names-subject' });
});

t.test('a manifest that was changed after it was signed', async (t) => {
  const read = requireVectors(t);
  if (read === undefined) return;
  const folder = 'dir-img-cosign-modified-manifest';
  const untrusted = readSignature(read, folder);
  const requirement = requirementOf(read('gpg/cosign.pub'));
  const run = await examine(read, folder, untrusted, requirement);
  t.match(run, { stoppedBy: 'payload-names-subject' });
});

t.test('a signature that is in the public log', async (t) => {
  const read = requireVectors(t);
  if (read === undefined) return;
  const folder = 'dir-img-cosign-key-rekor-valid';
  const untrusted = readSignature(read, folder);
  const requirement = requirementOf(keyInLog(untrusted), { minLogs: 1, root: 'default' });
  const run = await examine(read, folder, untrusted, requirement);
  t.strictSame(run.stoppedBy, undefined);
  const signedAt = new Date('2023-01-20T21:57:39Z');
  t.match(run.proven.trustedTime, { latest: signedAt });
  const bundle = untrusted.annotations[legacyAnnotations.bundle] ?? '';
  const changed = {
    'another time': bundle.replace('1674251859', '1674251860'),
    'another index': bundle.replace('11608800', '11608801'),
  };
  for (const [what, text] of Object.entries(changed)) {
    const annotations = { ...untrusted.annotations, [legacyAnnotations.bundle]: text };
    const broken = await examine(read, folder, { ...untrusted, annotations }, requirement);
    t.match(broken, { stoppedBy: 'log-entries' }, what);
  }
});
