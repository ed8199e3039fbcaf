import type { NonEmpty } from '../../kernel/non-empty.ts';
import type { CheckDeclaration } from '../signature-format.ts';

const client = 'Sigstore Client Specification';

/**
 * Every check of a Sigstore signature in the order in which it is made: what costs little first, so
 * that a stranger's signature for other content costs next to nothing. All are always enforced.
 */
export const sigstoreChecks = [
  { id: 'envelope-readable', rule: 'Sigstore Bundle; cosign, Signature Specification' },
  { id: 'payload-names-subject', rule: 'in-toto Statement; cosign, Simple Signing' },
  { id: 'signer-candidate', rule: `${client}, section 4.2` },
  { id: 'signature-verifies', rule: `${client}, section 4.5` },
  { id: 'trusted-root', rule: `${client}, section 4; The Update Framework, section 5` },
  { id: 'timestamps', rule: `${client}, section 4.1; RFC 3161` },
  { id: 'log-entries', rule: `${client}, section 4.4; RFC 6962` },
  { id: 'trusted-time', rule: `${client}, section 4.1` },
  { id: 'certificate-chain', rule: `${client}, section 4.3; RFC 5280, section 6` },
  { id: 'certificate-log', rule: `${client}, section 4.3; RFC 6962, section 3.2` },
  { id: 'trusted-identity', rule: `${client}, section 4.3` },
] as const satisfies NonEmpty<CheckDeclaration>;

export type SigstoreCheckId = (typeof sigstoreChecks)[number]['id'];
