import { legacyTags } from './cosign-simple-signing.ts';
import { sigstoreChecks } from './sigstore/checks.ts';
import { examineSigstore } from './sigstore/examination.ts';
import { maxAttestationBytes, readLegacyAttestation } from './sigstore/legacy-annotations.ts';
import type { SignatureFormat } from './signature-format.ts';

const layerType = 'application/vnd.dsse.envelope.v1+json';

/** Attestations as cosign wrote them up to version 2: DSSE envelopes under the tag `.att`. */
export const dsseAttestation: SignatureFormat = {
  id: 'dsse-attestation',
  family: 'sigstore',
  checks: sigstoreChecks,
  maxEnvelopeBytes: maxAttestationBytes,
  artifactTypes: ['application/vnd.dev.cosign.artifact.att.v1+json'],
  envelopesOf: ({ layers }) => layers.filter(({ mediaType }) => mediaType === layerType),
  tags: (subject) => legacyTags(subject, 'att'),
  examine: (untrusted, subject, requirement, context) =>
    examineSigstore({ untrusted, read: readLegacyAttestation, subject, requirement, context }),
};
