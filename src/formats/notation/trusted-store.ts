import { isSameBytes } from '../../crypto/same-bytes.ts';
import { TrustError } from '../../trust/trust-error.ts';
import type { TrustMaterial } from '../../trust/trust-material.ts';
import type {
  NotationStoreType,
  NotationTrustStoreName,
} from '../../verdict/identity-requirement.ts';
import type { Finding } from '../signature-format.ts';
import type { CertificateChain } from './certificate-chain.ts';
import { fail, pass } from '../finding.ts';
import type { SignedAttributes } from './signed-attributes.ts';

// Signing Scheme specification: a customer of an ordinary CA must not pose as a signing authority
// and choose its own signing time.
const storeTypes = {
  'notary.x509': 'ca',
  'notary.x509.signingAuthority': 'signingAuthority',
} as const satisfies Record<SignedAttributes['scheme'], NotationStoreType>;

/**
 * Trust Store and Trust Policy specification, Validate Authenticity: a certificate of the chain is,
 * byte for byte, in a trust store that the policy names, of the type that the signing scheme asks
 * for. Throws `TrustError` if a store that might hold it can't be read.
 */
export function checkTrustedStore(
  chain: CertificateChain,
  scheme: SignedAttributes['scheme'],
  stores: readonly NotationTrustStoreName[],
  trust: TrustMaterial,
): Finding {
  const type = storeTypes[scheme];
  const candidates = stores.filter((name) => name.startsWith(`${type}:`));
  if (candidates.length === 0) {
    return fail('no-trusted-signer', `the policy names no trust store of type ${type} (${scheme})`);
  }
  const missing: NotationTrustStoreName[] = [];
  for (const name of candidates) {
    const anchors = trust.notationStore(name);
    if (anchors === undefined) missing.push(name);
    const anchor = anchors?.find(({ der }) =>
      chain.some((certificate) => isSameBytes(certificate.der, der)),
    );
    if (anchor !== undefined) {
      return pass({ store: name, anchor: anchor.subject.text, fingerprint: anchor.fingerprint });
    }
  }
  if (missing.length > 0) {
    throw new TrustError('TRUST_STORE_UNREADABLE', `there is no trust store ${missing.join(', ')}`);
  }
  return fail('no-trusted-signer', `no certificate of the chain is in ${candidates.join(', ')}`);
}
