import type { BundleEvidence } from './bundle.ts';

// As the tools call them; what they store is described in their specifications.
const kinds: readonly (readonly [RegExp, string])[] = [
  [/^application\/vnd\.cncf\.notary\.signature$/, 'notation signature'],
  [/^application\/vnd\.dev\.sigstore\.bundle/, 'sigstore bundle'],
  [/^application\/vnd\.dev\.cosign\.artifact\.sig/, 'cosign signature'],
  [/in-toto/, 'attestation'],
  [/(?:spdx|cyclonedx|sbom)/, 'SBOM'],
];

const tagKinds: readonly (readonly [RegExp, string])[] = [
  [/\.sig$/, 'cosign signature'],
  [/\.att$/, 'cosign attestation'],
  [/\.sbom$/, 'SBOM'],
];

/** What a piece of evidence is, by what its manifest says and the tag that it lies under. */
export function evidenceKind({ manifest, tag }: Pick<BundleEvidence, 'manifest' | 'tag'>): string {
  const { artifactType } = manifest;
  const byType = kinds.find(([pattern]) => pattern.test(artifactType ?? ''));
  const byTag = tagKinds.find(([pattern]) => pattern.test(tag ?? ''));
  return (byType ?? byTag)?.[1] ?? artifactType ?? 'referrer';
}
