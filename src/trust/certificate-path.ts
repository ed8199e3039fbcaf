import { isSignedBy } from '../crypto/certificate-signature.ts';
import { EnvelopeError } from '../crypto/envelope-error.ts';
import { isSameBytes } from '../crypto/same-bytes.ts';
import { subjectAlternativeNameOid } from '../crypto/subject-names.ts';
import type { Certificate } from '../crypto/x509.ts';
import type { NonEmpty } from '../kernel/non-empty.ts';
import { quoted } from '../kernel/quoted.ts';
import { findCaFault, findEndEntityFault, isValidAt } from './certificate-rules.ts';

export interface PathRequest {
  /** Whose key signed something. */
  readonly leaf: Certificate;
  /** Where a path must end. They are held to the same rules as every other issuer. */
  readonly anchors: readonly Certificate[];
  /** What may stand between; nothing is trusted for being here. */
  readonly intermediates: readonly Certificate[];
  /** When the leaf's key was used: every certificate of the path must be valid at each of them. */
  readonly times: NonEmpty<Date>;
  /** OID of the extended key usage that the leaf must have. */
  readonly purpose: string;
}

export type PathResult =
  /** From the leaf to the anchor. */
  | { readonly kind: 'found'; readonly path: NonEmpty<Certificate> }
  | { readonly kind: 'none'; readonly because: string };

export const codeSigning = '1.3.6.1.5.5.7.3.3';

const anyPurpose = '2.5.29.37.0';
const nameConstraints = '2.5.29.30';
const maxPathLength = 8;
const maxSignatureChecks = 64;
// Critical extensions that are looked at here: basic constraints, key usage, its extension, names.
const processed = new Set(['2.5.29.19', '2.5.29.15', '2.5.29.37', subjectAlternativeNameOid]);

/**
 * Looks for a path from a leaf to an anchor (RFC 5280, section 6.1) that holds at every one of the
 * times: names and signatures, validity of every certificate, basic constraints, path lengths, key
 * usages, and the purpose in the leaf and in every issuer that lists purposes. Refuses critical
 * extensions that it does not know, and issuers with name constraints. No policies, no revocation.
 */
export function findCertificatePath(request: PathRequest): PathResult {
  const fault = findLeafFault(request);
  if (fault !== undefined) {
    return { kind: 'none', because: `the certificate ${describe(request.leaf)} ${fault}` };
  }
  const search: Search = { request, checksLeft: maxSignatureChecks, because: undefined };
  const path = extend(search, [request.leaf]);
  if (path !== undefined) return { kind: 'found', path };
  const nobody = `no trusted authority issued the certificate ${describe(request.leaf)}`;
  return { kind: 'none', because: search.because ?? nobody };
}

interface Search {
  readonly request: PathRequest;
  checksLeft: number;
  /** Why the first way that led anywhere ended. */
  because: string | undefined;
}

function extend(search: Search, path: NonEmpty<Certificate>): NonEmpty<Certificate> | undefined {
  const { anchors, intermediates } = search.request;
  if (path.length >= maxPathLength) return undefined;
  for (const issuer of anchors) {
    if (isNextOf(search, path, issuer)) return [...path, issuer];
  }
  for (const issuer of intermediates) {
    // Two CAs that signed each other would make a circle.
    if (path.some(({ fingerprint }) => fingerprint === issuer.fingerprint)) continue;
    if (!isNextOf(search, path, issuer)) continue;
    const whole = extend(search, [...path, issuer]);
    if (whole !== undefined) return whole;
  }
  return undefined;
}

function isNextOf(search: Search, path: NonEmpty<Certificate>, issuer: Certificate): boolean {
  const subject = path.at(-1) ?? path[0];
  if (!isSameBytes(subject.issuer.der, issuer.subject.der)) return false;
  if (search.checksLeft === 0) {
    search.because = `more than ${maxSignatureChecks} ways to an authority were tried`;
    return false;
  }
  search.checksLeft -= 1;
  const fault =
    findSignatureFault(subject, issuer) ?? findIssuerFault(search.request, path, issuer);
  if (fault === undefined) return true;
  search.because ??= `the issuer ${describe(issuer)} ${fault}`;
  return false;
}

function findSignatureFault(subject: Certificate, issuer: Certificate): string | undefined {
  try {
    return isSignedBy(subject, issuer) ? undefined : `did not sign ${describe(subject)}`;
  } catch (error) {
    if (error instanceof EnvelopeError) return `is not accepted: ${error.message}`;
    throw error;
  }
}

function findLeafFault({ leaf, times, purpose }: PathRequest): string | undefined {
  const fault = findEndEntityFault(leaf, 'present');
  if (fault !== undefined) return `is not acceptable: ${fault}`;
  if (leaf.extendedKeyUsage?.purposes.includes(purpose) !== true) {
    return `may not be used for this: its extended key usage lacks ${purpose}`;
  }
  return findCommonFault(leaf, times);
}

function findIssuerFault(
  { times, purpose }: PathRequest,
  path: NonEmpty<Certificate>,
  issuer: Certificate,
): string | undefined {
  const fault = findCaFault(issuer, path.length - 1, 'present');
  if (fault !== undefined) return `is not acceptable: ${fault}`;
  const { purposes } = issuer.extendedKeyUsage ?? {};
  if (purposes?.some((oid) => oid === purpose || oid === anyPurpose) === false) {
    return `may not issue for this: its extended key usage lacks ${purpose}`;
  }
  // Applying them is easy to get wrong, and to pass them by is to trust too much.
  if (issuer.extensions.has(nameConstraints))
    return 'has name constraints, which are not supported';
  return findCommonFault(issuer, times);
}

function findCommonFault(certificate: Certificate, times: NonEmpty<Date>): string | undefined {
  const time = times.find((instant) => !isValidAt(certificate, instant));
  if (time !== undefined) {
    const { notBefore, notAfter } = certificate;
    return `is valid from ${notBefore.toISOString()} to ${notAfter.toISOString()}, not at ${time.toISOString()}`;
  }
  for (const [oid, { critical }] of certificate.extensions) {
    if (critical && !processed.has(oid))
      return `has the critical extension ${oid}, which is not known`;
  }
  return undefined;
}

function describe({ subject, fingerprint }: Certificate): string {
  // The leaves of Fulcio have no subject.
  return subject.text === '' ? fingerprint.slice(0, 16) : quoted(subject.text, 200);
}
