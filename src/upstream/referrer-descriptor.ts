import type { Descriptor } from '../oci/descriptor.ts';
import { artifactTypeOf, type Manifest } from '../oci/manifest.ts';

/** What a list of referrers says of one (distribution-spec, Listing Referrers). */
export function describeReferrer(
  { mediaType, digest, size }: Pick<Descriptor, 'mediaType' | 'digest' | 'size'>,
  manifest: Manifest,
): Descriptor {
  const { annotations } = manifest;
  const artifactType = artifactTypeOf(manifest);
  return {
    mediaType,
    digest,
    size,
    ...(artifactType !== undefined && { artifactType }),
    ...(annotations !== undefined && { annotations }),
  };
}
