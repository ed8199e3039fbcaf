import { algorithmOf, type Digest, referrersTag } from '../oci/digest.ts';
import type { Tag } from '../oci/reference.ts';
import { sigstoreChecks } from './sigstore/checks.ts';
import { examineSigstore } from './sigstore/examination.ts';
import { maxPayloadBytes, readLegacySignature } from './sigstore/legacy-annotations.ts';
import type { SignatureFormat } from './signature-format.ts';

const layerType = 'application/vnd.dev.cosign.simplesigning.v1+json';

/** Signatures as cosign wrote them up to version 2: payloads under the tag `.sig`, each a layer. */
export const cosignSimpleSigning: SignatureFormat = {
  id: 'cosign-simple-signing',
  family: 'sigstore',
  checks: sigstoreChecks,
  maxEnvelopeBytes: maxPayloadBytes,
  artifactTypes: ['application/vnd.dev.cosign.artifact.sig.v1+json'],
  envelopesOf: ({ layers }) => layers.filter(({ mediaType }) => mediaType === layerType),
  tags: (subject) => legacyTags(subject, 'sig'),
  examine: (untrusted, subject, requirement, context) =>
    examineSigstore({ untrusted, read: readLegacySignature, subject, requirement, context }),
};

/** cosign makes tags of SHA-256 alone: those of SHA-512 would be too long. */
export function legacyTags(subject: Digest, kind: 'sig' | 'att'): readonly Tag[] {
  return algorithmOf(subject) === 'sha256' ? [`${referrersTag(subject)}.${kind}` as Tag] : [];
}
