import { digestOf } from '../../src/oci/digest.ts';
import { type Artifact, notationSignatureType } from '../support/build-image.ts';

/** For a registry without the referrers API, such as distribution: found under the subject's tag. */
export function referrersList(
  signature: Artifact,
  artifactType: string = notationSignatureType,
): Artifact {
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const manifests = [{ ...signature.descriptor, artifactType }];
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
  return {
    descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length },
    bytes,
    blobs: [],
    children: [],
  };
}
