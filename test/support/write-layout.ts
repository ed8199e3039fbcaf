import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { algorithmOf, encodedOf, referrersTag } from '../../src/oci/digest.ts';
import { artifactTypeOf, readManifest } from '../../src/oci/manifest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { type Artifact, type BuiltBlob, buildIndex, closureOf } from './build-image.ts';

export interface LayoutEntry {
  readonly artifact: Artifact;
  readonly tag?: string;
}

export interface LayoutOptions {
  /**
   * Where referrers are found: as entries of index.json (oras and notation look there), or also in
   * an index under the fallback tag, as registries without the referrers API keep them.
   */
  readonly referrers?: 'entries' | 'entries-and-fallback-tag';
}

/** Writes an OCI image layout (image-spec, image-layout.md) into a folder. */
export function writeLayout(
  folder: string,
  entries: readonly LayoutEntry[],
  options: LayoutOptions = {},
): void {
  const withFallback =
    options.referrers === 'entries-and-fallback-tag'
      ? [...entries, ...fallbackIndexes(entries.map(({ artifact }) => artifact))]
      : entries;
  for (const { artifact } of withFallback) {
    const { manifests, blobs } = closureOf(artifact);
    for (const each of [...manifests, ...blobs]) writeBlob(folder, each);
  }
  const manifests = withFallback.map(({ artifact, tag }) => ({
    ...artifact.descriptor,
    ...(tag !== undefined && { annotations: { 'org.opencontainers.image.ref.name': tag } }),
  }));
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
  writeFileSync(join(folder, 'index.json'), JSON.stringify(index, null, 2));
  writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
}

/** For each subject the index of what refers to it, under its tag (distribution-spec, Referrers Tag Schema). */
export function fallbackIndexes(artifacts: readonly Artifact[]): readonly LayoutEntry[] {
  const referrers = artifacts.filter(({ subject }) => subject !== undefined);
  const bySubject = Map.groupBy(referrers, ({ subject }) => (subject as Descriptor).digest);
  return [...bySubject].map(([digest, list]) => ({
    artifact: indexOf(list.map(referrerDescriptor)),
    tag: referrersTag(digest),
  }));
}

/** What a registry says of a referrer (distribution-spec, Listing Referrers). */
export function referrerDescriptor(artifact: Artifact): Descriptor {
  const manifest = readManifest(artifact.bytes, artifact.descriptor.mediaType);
  const artifactType = artifactTypeOf(manifest);
  return {
    ...artifact.descriptor,
    ...(artifactType !== undefined && { artifactType }),
    ...(manifest.annotations !== undefined && { annotations: manifest.annotations }),
  };
}

export function indexOf(manifests: readonly Descriptor[]): Artifact {
  return buildIndex({ children: [], members: { manifests } });
}

function writeBlob(folder: string, { descriptor, bytes }: BuiltBlob): void {
  const { digest } = descriptor;
  const file = join(folder, 'blobs', algorithmOf(digest), encodedOf(digest));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes);
}
