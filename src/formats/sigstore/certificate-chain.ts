import type { Certificate } from '../../crypto/x509.ts';
import { isNonEmpty, type NonEmpty } from '../../kernel/non-empty.ts';
import { isValidAt } from '../../trust/certificate-rules.ts';
import { findFulcioPath } from '../../trust/sigstore/fulcio-path.ts';
import type { SigstoreRoot } from '../../trust/sigstore/sigstore-root.ts';
import { fail, pass } from '../finding.ts';
import type { Finding } from '../signature-format.ts';

export interface ChainFound {
  readonly finding: Finding;
  /** From the leaf to the anchor. */
  readonly path?: NonEmpty<Certificate>;
}

/**
 * A path from the signer's certificate to an authority of the root that holds at every trusted time
 * with every certificate of it (GHSA-wfqv-66vq-46rm, CVE-2026-24122). What came with the signature
 * may stand between, and is never where the path ends.
 */
export function checkCertificateChain(
  [leaf, ...issuers]: NonEmpty<Certificate>,
  root: SigstoreRoot,
  times: readonly Date[],
): ChainFound {
  if (!isNonEmpty(times)) throw new TypeError('a certificate is looked at without a trusted time');
  const outside = times.find((time) => !isValidAt(leaf, time));
  if (outside !== undefined) {
    const because = `its certificate is valid from ${leaf.notBefore.toISOString()} to ${leaf.notAfter.toISOString()}, not at ${outside.toISOString()}`;
    return { finding: fail('certificate-expired', because) };
  }
  const result = findFulcioPath(leaf, root.certificateAuthorities, times, issuers);
  if (result.kind === 'none') return { finding: fail('no-trusted-signer', result.because) };
  const { path } = result;
  const anchor = path.at(-1) ?? path[0];
  const evidence = { certificates: String(path.length), authority: anchor.subject.text };
  return { finding: pass(evidence), path };
}
