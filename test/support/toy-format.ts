import { isObject, readJson } from '../../src/kernel/json.ts';
import type {
  Finding,
  ProvenStatement,
  SignatureFormat,
} from '../../src/formats/signature-format.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { referrersTag } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import type { Tag } from '../../src/oci/reference.ts';
import type { TrustedTime } from '../../src/trust/trusted-time.ts';
import type { Identity } from '../../src/verdict/identity.ts';
import { type Artifact, buildBlob, buildManifest } from './build-image.ts';

const layerType = 'application/jose+json';
const artifactType = 'application/vnd.cncf.notary.signature';

export interface ToySignature {
  /** The identity's name in the policy. */
  readonly by: string;
  /** The key's name; the signer's own unless told. */
  readonly key?: string;
  readonly outcome?: 'inconclusive';
  /** ISO 8601. */
  readonly until?: string;
  /** From then on it fails: ISO 8601. */
  readonly expires?: string;
  /** When it was made, as if a trusted authority said so: ISO 8601, at the earliest and latest. */
  readonly made?: readonly [string, string];
  /** The predicate type of the statement that it is; a plain signature unless told. */
  readonly attests?: string;
  /** The digest of the trust store that knows its signer; every one does unless told. */
  readonly knownTo?: string;
}

/** A signature that a test reads at a glance, for what is not about formats. */
export function toySignature(of: Descriptor, signature: ToySignature): Artifact {
  const envelope = JSON.stringify({ ...signature, of: of.digest });
  return buildManifest({ artifactType, subject: of, layers: [buildBlob(layerType, envelope)] });
}

/** Trusts whoever says to be the identity: the gate must not care how that was proven. */
export const toyFormat: SignatureFormat = {
  id: 'toy',
  family: 'notation',
  checks: [{ id: 'names-subject', rule: 'toy 1' }],
  artifactTypes: [artifactType],
  maxEnvelopeBytes: 10_000,
  envelopesOf: ({ layers }) =>
    layers.length === 1 && layers[0]?.mediaType === layerType ? layers : [],
  examine({ bytes, annotations }, subject, { name }, { trust, now }) {
    let statement: ProvenStatement | undefined;
    let signer: Identity | undefined;
    let validUntil: Date | undefined;
    let trustedTime: TrustedTime | undefined;
    const run = (): Finding => {
      const claim = readJson(bytes);
      if (!isObject(claim)) throw new TypeError('a toy is an object');
      if (claim['of'] !== subject.digest) {
        return { outcome: 'failed', because: 'of something else', reason: 'signature-invalid' };
      }
      if (claim['outcome'] === 'inconclusive') {
        return { outcome: 'inconclusive', because: 'unclear', reason: 'revocation-unknown' };
      }
      if ((annotations['toy.by'] ?? claim['by']) !== name) {
        return { outcome: 'failed', because: `not ${name}`, reason: 'no-trusted-signer' };
      }
      const knownTo = claim['knownTo'] ?? trust.notationStoreDigest('ca:x');
      if (knownTo !== trust.notationStoreDigest('ca:x')) {
        return { outcome: 'failed', because: 'not anchored', reason: 'no-trusted-signer' };
      }
      const keyFingerprint = String(claim['key'] ?? claim['by']);
      const text = `CN=${name}`;
      signer = {
        kind: 'certificate',
        subject: text,
        issuer: text,
        certificateFingerprint: keyFingerprint,
        keyFingerprint,
      };
      if (typeof claim['until'] === 'string') validUntil = new Date(claim['until']);
      if (typeof claim['expires'] === 'string') validUntil = new Date(claim['expires']);
      if (claim['expires'] !== undefined && validUntil !== undefined && validUntil <= now) {
        return { outcome: 'failed', because: 'it has expired', reason: 'signature-expired' };
      }
      if (Array.isArray(claim['made'])) {
        const [earliest, latest] = claim['made'].map((time) => new Date(String(time)));
        if (earliest && latest) trustedTime = { earliest, latest };
      }
      if (typeof claim['attests'] === 'string') {
        statement = { predicateType: claim['attests'], payload: bytes };
      }
      return { outcome: 'passed' };
    };
    return {
      steps: [{ id: 'names-subject', rule: 'toy 1', enforcement: () => 'enforce', run }],
      proven: () => ({
        ...(signer !== undefined && { signer }),
        ...(statement !== undefined && { statement }),
        ...(trustedTime !== undefined && { trustedTime }),
        ...(validUntil !== undefined && { validUntil }),
      }),
    };
  },
};

const cosignLayer = 'application/vnd.dev.cosign.simplesigning.v1+json';

/** The same in cosign's older scheme: under a tag, each layer a signature. */
export const toyCosign: SignatureFormat = {
  ...toyFormat,
  id: 'toy-cosign',
  family: 'sigstore',
  artifactTypes: ['application/vnd.dev.cosign.artifact.sig.v1+json'],
  envelopesOf: ({ layers }) =>
    layers.every(({ mediaType }) => mediaType === cosignLayer) ? layers : [],
  tags: (subject) => ['sig', 'att'].map((kind) => `${referrersTag(subject)}.${kind}` as Tag),
};

/** A manifest as cosign leaves it under its tags: signatures of `of`, and no subject. */
export function toyCosignManifest(
  of: Descriptor,
  signatures: readonly (ToySignature & { readonly annotation?: string })[],
): Artifact {
  const layers = signatures.map(({ annotation, ...signature }) => {
    const blob = buildBlob(cosignLayer, JSON.stringify({ ...signature, of: of.digest }));
    const annotations = annotation === undefined ? undefined : { 'toy.by': annotation };
    return annotations ? { ...blob, descriptor: { ...blob.descriptor, annotations } } : blob;
  });
  return buildManifest({ config: buildBlob(mediaTypes.ociConfig, '{}'), layers });
}
