/** Types with and without a version coexist; each is a type of its own. */
export const predicateTypes = {
  slsa: ['https://slsa.dev/provenance/v1', 'https://slsa.dev/provenance/v0.2'],
  vsa: ['https://slsa.dev/verification_summary/v1'],
  spdx: ['https://spdx.dev/Document', 'https://spdx.dev/Document/v2.3'],
  cyclonedx: [
    'https://cyclonedx.org/bom',
    'https://cyclonedx.org/bom/v1.4',
    'https://cyclonedx.org/bom/v1.5',
    'https://cyclonedx.org/bom/v1.6',
    'https://cyclonedx.org/bom/v1.7',
  ],
  cosignVulnerabilities: ['https://cosign.sigstore.dev/attestation/vuln/v1'],
  inTotoVulnerabilities: [
    'https://in-toto.io/attestation/vulns/v0.1',
    'https://in-toto.io/attestation/vulns/v0.2',
    'https://in-toto.io/attestation/vulns',
  ],
  openVex: ['https://openvex.dev/ns', 'https://openvex.dev/ns/v0.2.0'],
} as const satisfies Record<string, readonly string[]>;

export type PredicateFamily = keyof typeof predicateTypes;

export function familyOf(predicateType: string): PredicateFamily | undefined {
  for (const [family, types] of Object.entries(predicateTypes)) {
    if ((types as readonly string[]).includes(predicateType)) return family as PredicateFamily;
  }
  return undefined;
}
