import type { DistinguishedName, NotationRequirement } from '../../verdict/identity-requirement.ts';

/** As a Notation trust policy writes them: `*`, or `x509.subject:` and a name by RFC 4514. */
export function writeTrustedIdentities(
  trustedIdentities: NotationRequirement['trustedIdentities'],
): readonly string[] {
  if (trustedIdentities === '*') return ['*'];
  return trustedIdentities.map((name) => `x509.subject: ${writeName(name)}`);
}

function writeName(name: DistinguishedName): string {
  return [...name].map(([type, value]) => `${type}=${escapeValue(value)}`).join(', ');
}

/** RFC 4514, section 2.4. */
function escapeValue(value: string): string {
  return value.replace(/["+,;<>\\]|^[ #]| $/g, '\\$&').replaceAll('\0', '\\00');
}
