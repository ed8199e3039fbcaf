import type { SignatureFormat } from '../formats/signature-format.ts';
import type { Annotations } from '../oci/descriptor.ts';
import type { TrustMaterial } from '../trust/trust-material.ts';
import type { IdentityRequirement } from '../verdict/identity-requirement.ts';
import type { Lead } from './places.ts';

/**
 * In the order in which it is worth while to look at them: what lies under a tag of the subject's
 * own, what claims to be by a signer of the rule, what claims to be a signature, the rest. Whoever
 * may push may claim all of it, and some registries list every referrer with the empty type: it
 * orders and drops nothing.
 */
export function inOrder(
  leads: readonly Lead[],
  formats: readonly SignatureFormat[],
  requirements: readonly IdentityRequirement[],
  trust: TrustMaterial,
): readonly Lead[] {
  const types = new Set(formats.flatMap(({ artifactTypes }) => artifactTypes));
  const hints = formats.flatMap((format) => format.hints?.(requirements, trust) ?? []);
  const isHinted = (annotations: Annotations | undefined): boolean =>
    annotations !== undefined && hints.some((hint) => hint(annotations));
  const rankOf = ({ isTagged, artifactType, annotations }: Lead): number => {
    if (isTagged) return 0;
    if (isHinted(annotations)) return 1;
    return artifactType !== undefined && types.has(artifactType) ? 2 : 3;
  };
  return leads
    .map((lead) => ({ lead, rank: rankOf(lead) }))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ lead }) => lead);
}
