import type { Certificate } from '../../crypto/x509.ts';
import type { NonEmpty } from '../../kernel/non-empty.ts';
import { codeSigning, findCertificatePath, type PathResult } from '../certificate-path.ts';
import { type CertificateAuthority, goesBy, isWithin } from './sigstore-root.ts';

const maxReasons = 4;

/**
 * A path from a code-signing certificate to one of the authorities that holds at every one of the
 * times, each of which must lie within the authority's own validity too (Sigstore Client
 * Specification, section 4.3). Certificates that came with a signature never lead anywhere else than
 * to an anchor of the root, and not past the issuer that the root names below it.
 */
export function findFulcioPath(
  leaf: Certificate,
  authorities: readonly CertificateAuthority[],
  times: NonEmpty<Date>,
  untrustedIntermediates: readonly Certificate[] = [],
): PathResult {
  const reasons = new Set<string>();
  for (const authority of authorities) {
    const { uri, chain, validFor } = authority;
    const time = times.find((instant) => !isWithin(validFor, instant));
    if (time !== undefined) {
      reasons.add(`${uri} is not trusted at ${time.toISOString()}`);
      continue;
    }
    const result = findCertificatePath({
      leaf,
      anchors: chain.slice(-1),
      intermediates: [...chain.slice(0, -1), ...untrustedIntermediates],
      times,
      purpose: codeSigning,
    });
    if (result.kind === 'found' && goesBy(authority, result.path)) return result;
    const pastIssuer = `its issuer is not the one that ${uri} issues by`;
    reasons.add(result.kind === 'found' ? pastIssuer : result.because);
  }
  if (reasons.size === 0) reasons.add('the trusted root has no certificate authority');
  return { kind: 'none', because: [...reasons].slice(0, maxReasons).join('; ') };
}
