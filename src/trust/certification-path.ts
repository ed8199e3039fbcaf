import { isSignedBy } from '../crypto/certificate-signature.ts';
import { EnvelopeError } from '../crypto/envelope-error.ts';
import type { Certificate } from '../crypto/x509.ts';
import type { NonEmpty } from '../kernel/non-empty.ts';
import { quoted } from '../kernel/quoted.ts';

export interface PathQuestion {
  readonly leaf: Certificate;
  /** Issuers that may stand between, in no order and from anybody. */
  readonly untrusted: readonly Certificate[];
  readonly roots: readonly Certificate[];
  /** The rule that a CA breaks; `casBelow` are those between it and the leaf. */
  findFault(certificate: Certificate, casBelow: number): string | undefined;
}

export type PathAnswer =
  | { readonly kind: 'found'; readonly path: NonEmpty<Certificate> }
  | { readonly kind: 'none'; readonly because: string };

/** Real paths have 3 or 4 certificates. */
const maxPathLength = 8;

/** What a bag of certificates that all have one name may cost. */
const maxSignatureChecks = 64;

/**
 * A path from the leaf to a root, each certificate named and signed by the next. The search goes by
 * length and visits each certificate once: the shortest path to it is the one that a path length
 * restricts least, so that no other is worth a try. Rules come before signatures, which cost.
 */
export function findCertificationPath(question: PathQuestion): PathAnswer {
  const { leaf, roots, untrusted } = question;
  const known = new Set(roots.map(({ fingerprint }) => fingerprint));
  let open = untrusted.filter((each) => !known.has(each.fingerprint) && !isSelfIssued(each));
  let because = 'no trusted root issued it';
  let checks = 0;
  const findIssuerFault = (certificate: Certificate, issuer: Certificate, casBelow: number) => {
    const fault = question.findFault(issuer, casBelow);
    if (fault !== undefined) return fault;
    checks += 1;
    if (checks > maxSignatureChecks) return 'too many certificates would have to be tried';
    return isSigned(certificate, issuer) ? undefined : 'it did not sign what names it as issuer';
  };
  const isIssued = (certificate: Certificate, issuer: Certificate, casBelow: number): boolean => {
    if (!isNamed(certificate, issuer)) return false;
    const fault = findIssuerFault(certificate, issuer, casBelow);
    if (fault !== undefined) because = `its issuer ${describe(issuer)} is not acceptable: ${fault}`;
    return fault === undefined;
  };
  const paths: NonEmpty<Certificate>[] = [[leaf]];
  for (const path of paths) {
    const last = path.at(-1) ?? leaf;
    const casBelow = path.length - 1;
    const root = roots.find((each) => isIssued(last, each, casBelow));
    if (root !== undefined) return { kind: 'found', path: [...path, root] };
    if (path.length + 1 >= maxPathLength) continue;
    const issuers = open.filter((each) => isIssued(last, each, casBelow));
    open = open.filter((each) => !issuers.includes(each));
    paths.push(...issuers.map((each): NonEmpty<Certificate> => [...path, each]));
  }
  return { kind: 'none', because };
}

function isNamed(certificate: Certificate, issuer: Certificate): boolean {
  return Buffer.compare(certificate.issuer.der, issuer.subject.der) === 0;
}

/** A root that nobody trusts, wherever it stands. */
function isSelfIssued(certificate: Certificate): boolean {
  return isNamed(certificate, certificate);
}

function isSigned(certificate: Certificate, issuer: Certificate): boolean {
  try {
    return isSignedBy(certificate, issuer);
  } catch (error) {
    // An algorithm that is not accepted proves nothing.
    if (error instanceof EnvelopeError) return false;
    throw error;
  }
}

function describe({ subject }: Certificate): string {
  return quoted(subject.text, 200);
}
