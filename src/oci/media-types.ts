/** Media types that the OCI specifications, Docker and signature formats fix. */
export const mediaTypes = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  ociEmpty: 'application/vnd.oci.empty.v1+json',
  octets: 'application/octet-stream',
} as const;

/** What we ask upstream for, always all of it, so that no client's wish makes upstream convert. */
export const manifestMediaTypes = [
  mediaTypes.ociIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerList,
  mediaTypes.dockerManifest,
] as const;

export type ManifestMediaType = (typeof manifestMediaTypes)[number];

export function isManifestMediaType(mediaType: string): mediaType is ManifestMediaType {
  return (manifestMediaTypes as readonly string[]).includes(mediaType);
}

export function isIndexMediaType(mediaType: string): boolean {
  return mediaType === mediaTypes.ociIndex || mediaType === mediaTypes.dockerList;
}

/** A config of this type makes an artifact something that a container runtime would run. */
export function isImageConfig(mediaType: string): boolean {
  return mediaType === mediaTypes.ociConfig || mediaType === mediaTypes.dockerConfig;
}
