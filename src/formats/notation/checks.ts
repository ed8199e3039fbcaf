import type { NonEmpty } from '../../kernel/non-empty.ts';
import type { NotationCheckType } from '../../verdict/identity-requirement.ts';
import type { CheckDeclaration } from '../signature-format.ts';

const signature = 'Notary Project, Signature Specification';
const trust = 'Notary Project, Trust Store and Trust Policy';

export interface NotationCheck extends CheckDeclaration {
  /** Which part of the policy's level governs it; integrity is always enforced. */
  readonly type: NotationCheckType | 'integrity';
}

/**
 * Every check of a Notation signature in the order in which it is made: what costs little first,
 * so that a stranger's signature for other content costs next to nothing.
 */
export const notationChecks = [
  { id: 'envelope-readable', type: 'integrity', rule: `${trust}, Validate Integrity, step 1` },
  { id: 'signed-attributes', type: 'integrity', rule: `${signature}, Signed Attributes` },
  { id: 'critical-attributes', type: 'integrity', rule: `${signature}, Extended attributes` },
  { id: 'payload-names-subject', type: 'integrity', rule: `${signature}, Payload` },
  { id: 'signature-algorithm', type: 'integrity', rule: `${signature}, Algorithm Selection` },
  { id: 'signature-verifies', type: 'integrity', rule: `${trust}, Validate Integrity, step 5` },
  { id: 'certificate-chain', type: 'integrity', rule: `${signature}, Certificate Requirements` },
  { id: 'trusted-store', type: 'authenticity', rule: `${trust}, Validate Authenticity` },
  { id: 'verification-plugin', type: 'integrity', rule: `${trust}, Extended Validation` },
  {
    id: 'trusted-identity',
    type: 'authenticity',
    rule: `${trust}, Trusted Identities Constraints`,
  },
  { id: 'expiry', type: 'expiry', rule: `${trust}, Validate Expiry` },
  {
    id: 'authentic-timestamp',
    type: 'authenticTimestamp',
    rule: `${trust}, Validate Authentic Timestamp`,
  },
  { id: 'revocation', type: 'revocation', rule: `${trust}, Certificate Revocation Evaluation` },
  { id: 'level-vouches', type: 'integrity', rule: `${trust}, Signature Verification details` },
] as const satisfies NonEmpty<NotationCheck>;

export type NotationCheckId = (typeof notationChecks)[number]['id'];
