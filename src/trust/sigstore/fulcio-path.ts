import type { Certificate } from '../../crypto/x509.ts';
import type { NonEmpty } from '../../kernel/non-empty.ts';
import { codeSigning, findCertificatePath, type PathResult } from '../certificate-path.ts';
import { type CertificateAuthority, isWithin } from './sigstore-root.ts';

const maxReasons = 4;

/**
 * A path from a code-signing certificate to one of the authorities that holds at every one of the
 * times, each of which must lie within the authority's own validity too (Sigstore Client
 * Specification, section 4.3). Certificates that came with a signature never lead anywhere else than
 * to an anchor of the root.
 */
export function findFulcioPath(
  leaf: Certificate,
  authorities: readonly CertificateAuthority[],
  times: NonEmpty<Date>,
  untrustedIntermediates: readonly Certificate[] = [],
): PathResult {
  const reasons = new Set<string>();
  for (const { uri, chain, validFor } of authorities) {
    const time = times.find((instant) => !isWithin(validFor, instant));
    const result =
      time === undefined
        ? findCertificatePath({
            leaf,
            anchors: chain.slice(-1),
            intermediates: [...chain.slice(0, -1), ...untrustedIntermediates],
            times,
            purpose: codeSigning,
          })
        : { kind: 'none' as const, because: `${uri} is not trusted at ${time.toISOString()}` };
    if (result.kind === 'found') return result;
    reasons.add(result.because);
  }
  if (reasons.size === 0) reasons.add('the trusted root has no certificate authority');
  return { kind: 'none', because: [...reasons].slice(0, maxReasons).join('; ') };
}
