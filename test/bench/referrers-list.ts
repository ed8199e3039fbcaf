import { digestOf } from '../../src/oci/digest.ts';
import type { Artifact } from '../support/build-image.ts';

/** For a registry without the referrers API, such as distribution: found under the subject's tag. */
export function referrersList(signature: Artifact): Artifact {
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const artifactType = 'application/vnd.cncf.notary.signature';
  const manifests = [{ ...signature.descriptor, artifactType }];
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
  return {
    descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length },
    bytes,
    blobs: [],
    children: [],
  };
}
