import { isObject, readJson } from '../../src/kernel/json.ts';
import type { Finding, SignatureFormat } from '../../src/formats/signature-format.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
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
  examine({ bytes }, subject, { name }) {
    let signer: Identity | undefined;
    let validUntil: Date | undefined;
    const run = (): Finding => {
      const claim = readJson(bytes);
      if (!isObject(claim)) throw new TypeError('a toy is an object');
      if (claim['of'] !== subject.digest) {
        return { outcome: 'failed', because: 'of something else', reason: 'signature-invalid' };
      }
      if (claim['outcome'] === 'inconclusive') {
        return { outcome: 'inconclusive', because: 'unclear', reason: 'revocation-unknown' };
      }
      if (claim['by'] !== name) {
        return { outcome: 'failed', because: `not ${name}`, reason: 'no-trusted-signer' };
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
      return { outcome: 'passed' };
    };
    return {
      steps: [{ id: 'names-subject', rule: 'toy 1', enforcement: () => 'enforce', run }],
      proven: () => ({
        ...(signer !== undefined && { signer }),
        ...(validUntil !== undefined && { validUntil }),
      }),
    };
  },
};
