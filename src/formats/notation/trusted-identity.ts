import type { Name } from '../../crypto/x509.ts';
import { quoted } from '../../kernel/quoted.ts';
import type { DistinguishedName, NotationRequirement } from '../../verdict/identity-requirement.ts';
import type { Finding } from '../signature-format.ts';
import { fail, pass } from '../finding.ts';

// The attribute types that a trusted identity may name. The reference implementation prints any
// other as `OID=#hex`, which it then refuses to compare.
const comparable: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.5': 'SERIALNUMBER',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'STREET',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.17': 'POSTALCODE',
};

/**
 * Trust Store and Trust Policy specification, Trusted Identities Constraints: the signing
 * certificate's subject has every attribute of one listed name, compared exactly.
 */
export function checkTrustedIdentity(
  subject: Name,
  trustedIdentities: NotationRequirement['trustedIdentities'],
): Finding {
  const evidence = { subject: subject.text };
  if (trustedIdentities === '*') return pass({ ...evidence, trusted: '*' });
  const attributes = comparableAttributes(subject);
  if (attributes === undefined) {
    const because = 'has a type twice, in one part with another, or of a kind that none can list';
    return fail('no-trusted-signer', `the signer ${quoted(subject.text, 200)} ${because}`);
  }
  const match = trustedIdentities.find((listed) => isSubset(listed, attributes));
  if (match !== undefined) return pass({ ...evidence, trusted: describe(match) });
  return fail('no-trusted-signer', `the signer ${quoted(subject.text, 200)} is not listed`);
}

/** Undefined where two readers could see another name: then nothing but `*` matches. */
function comparableAttributes({ rdns }: Name): DistinguishedName | undefined {
  const attributes = new Map<string, string>();
  for (const rdn of rdns) {
    const [attribute] = rdn;
    if (attribute === undefined || rdn.length > 1) return undefined;
    const type = comparable[attribute.oid];
    if (type === undefined || attributes.has(type)) return undefined;
    attributes.set(type, attribute.value);
  }
  return attributes;
}

function isSubset(listed: DistinguishedName, attributes: DistinguishedName): boolean {
  // A name without attributes would be everybody's.
  if (listed.size === 0) return false;
  return [...listed].every(([type, value]) => attributes.get(type) === value);
}

function describe(listed: DistinguishedName): string {
  return [...listed].map(([type, value]) => `${type}=${value}`).join(', ');
}
