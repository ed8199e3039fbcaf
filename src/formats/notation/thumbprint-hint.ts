import { readJson } from '../../kernel/json.ts';
import type { Annotations } from '../../oci/descriptor.ts';
import type { TrustMaterial } from '../../trust/trust-material.ts';
import type { IdentityRequirement } from '../../verdict/identity-requirement.ts';

const annotation = 'io.cncf.notary.x509chain.thumbprint#S256';
const maxLength = 8 * 1024;

/**
 * Whether the annotation with the chain's SHA-256 fingerprints names an anchor of the identities'
 * trust stores (Signature Specification, Storage). notation writes lower-case hex, the specification
 * upper-case.
 */
export function thumbprintHint(
  requirements: readonly IdentityRequirement[],
  trust: TrustMaterial,
): (annotations: Annotations) => boolean {
  const anchors = new Set<string>();
  for (const requirement of requirements) {
    if (requirement.family !== 'notation') continue;
    for (const store of requirement.notation.trustStores) {
      for (const { fingerprint } of trust.notationStore(store) ?? []) anchors.add(fingerprint);
    }
  }
  return ({ [annotation]: text }) =>
    text !== undefined && thumbprintsIn(text).some((thumbprint) => anchors.has(thumbprint));
}

function thumbprintsIn(text: string): readonly string[] {
  if (text.length > maxLength) return [];
  try {
    const list = readJson(Buffer.from(text));
    if (!Array.isArray(list)) return [];
    return list.flatMap((item: unknown) => (typeof item === 'string' ? [item.toLowerCase()] : []));
  } catch {
    // A hint that can't be read is none.
    return [];
  }
}
