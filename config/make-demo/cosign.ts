import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { preAuthEncoding } from '../../src/crypto/dsse.ts';
import { encodedOf } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import {
  type Artifact,
  buildBlob,
  buildManifest,
  type BuiltBlob,
} from '../../test/support/build-image.ts';
import { cosignPayload } from '../../test/support/cosign-payload.ts';
import type { LayoutEntry } from '../../test/support/write-layout.ts';
import { signPredicate, type Predicate } from './predicates.ts';

/** What is signed, and the repository in which it lies. */
export interface Signed {
  readonly artifact: Artifact;
  readonly repository: string;
}

const statementType = 'application/vnd.in-toto+json';
const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const signatureAnnotation = 'dev.cosignproject.cosign/signature';

/** The signature of cosign 2, under the tag `.sig`. */
export function taggedSignature(signed: Signed, key: KeyObject): LayoutEntry {
  const { digest } = signed.artifact.descriptor;
  const payload = cosignPayload({ digest, reference: `demo/${signed.repository}` });
  const signature = sign('sha256', payload, key).toString('base64');
  const type = 'application/vnd.dev.cosign.simplesigning.v1+json';
  return underTag(signed, 'sig', [layerOf(type, payload, { [signatureAnnotation]: signature })]);
}

/** Attestations of cosign 2, together under the tag `.att`. */
export function taggedAttestations(
  signed: Signed,
  key: KeyObject,
  predicates: readonly Predicate[],
): LayoutEntry {
  const layers = predicates.map((predicate) => {
    const envelope = JSON.stringify(envelopeOf(signed, key, predicate));
    const annotations = { [signatureAnnotation]: '', predicateType: predicate.type };
    return layerOf('application/vnd.dsse.envelope.v1+json', Buffer.from(envelope), annotations);
  });
  return underTag(signed, 'att', layers);
}

/** The signature of cosign 3: a Sigstore bundle that refers to what is signed. */
export function bundledSignature(signed: Signed, key: KeyObject): LayoutEntry {
  return bundledAttestation(signed, key, signPredicate);
}

/** An attestation of cosign 3. */
export function bundledAttestation(
  signed: Signed,
  key: KeyObject,
  predicate: Predicate,
): LayoutEntry {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const bundle = {
    mediaType: bundleType,
    verificationMaterial: {
      publicKey: { hint: createHash('sha256').update(spki).digest('base64') },
    },
    dsseEnvelope: envelopeOf(signed, key, predicate),
  };
  const artifact = buildManifest({
    artifactType: bundleType,
    layers: [buildBlob(bundleType, JSON.stringify(bundle))],
    subject: signed.artifact.descriptor,
    annotations: {
      'dev.sigstore.bundle.content': 'dsse-envelope',
      'dev.sigstore.bundle.predicateType': predicate.type,
    },
  });
  return { artifact };
}

/** DSSE over an in-toto statement about what is signed. */
function envelopeOf({ artifact, repository }: Signed, key: KeyObject, said: Predicate) {
  const sha256 = encodedOf(artifact.descriptor.digest);
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: `demo/${repository}`, digest: { sha256 } }],
    predicateType: said.type,
    predicate: said.predicate,
  };
  const payload = Buffer.from(JSON.stringify(statement));
  const signature = sign('sha256', preAuthEncoding({ payloadType: statementType, payload }), key);
  return {
    payload: payload.toString('base64'),
    payloadType: statementType,
    signatures: [{ sig: signature.toString('base64') }],
  };
}

function layerOf(type: string, bytes: Uint8Array, annotations: Record<string, string>): BuiltBlob {
  const blob = buildBlob(type, bytes);
  return { ...blob, descriptor: { ...blob.descriptor, annotations } };
}

/** cosign's Signature Specification: one layer a signature, under a tag that names the digest. */
function underTag(
  { artifact, repository }: Signed,
  suffix: 'sig' | 'att',
  layers: readonly BuiltBlob[],
): LayoutEntry {
  const rootfs = { type: 'layers', diff_ids: layers.map(({ descriptor }) => descriptor.digest) };
  const image = { architecture: '', os: '', config: {}, rootfs };
  const config = buildBlob(mediaTypes.ociConfig, JSON.stringify(image));
  const tag = `${repository}:sha256-${encodedOf(artifact.descriptor.digest)}.${suffix}`;
  return { artifact: buildManifest({ config, layers }), tag };
}
