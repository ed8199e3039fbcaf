import { isHarmlessReason } from '../../crypto/revocation-reason.ts';
import type { Certificate } from '../../crypto/x509.ts';
import { earliest } from '../../kernel/earliest.ts';
import { quoted } from '../../kernel/quoted.ts';
import type { RevocationSource, RevocationStatus } from '../../trust/revocation-source.ts';
import type { TrustedTime } from '../../trust/trusted-time.ts';
import type { Finding } from '../signature-format.ts';
import type { CertificateChain } from './certificate-chain.ts';
import { fail, inconclude, pass } from '../finding.ts';

export interface RevocationResult {
  readonly finding: Finding;
  /** When the ground for passing ends: the earliest nextUpdate. */
  readonly validUntil?: Date;
}

/** That it was signed at a time on the word of somebody trusted, and what that is good for. */
export interface SignedBefore {
  readonly signedAt: TrustedTime;
  /**
   * What became of a certificate after it signed does not count where the issuer says since when it
   * is invalid (`invalidity-date`), or also where it was revoked later for a reason that leaves no
   * doubt about the time before (`later-revocation`).
   */
  readonly forgives: 'invalidity-date' | 'later-revocation';
}

type Revoked = Extract<RevocationStatus, { kind: 'revoked' }>;

interface Asked {
  readonly certificate: Certificate;
  readonly status: RevocationStatus;
}

/**
 * Trust Store and Trust Policy specification, Certificate Revocation Evaluation: every certificate
 * but the root. One that names no source can't be revoked. All are asked about at once; one that is
 * revoked weighs more than one that nobody knows of.
 */
export async function checkRevocation(
  chain: CertificateChain,
  source: RevocationSource,
  signal: AbortSignal,
  before?: SignedBefore,
): Promise<RevocationResult> {
  const [, ...issuers] = chain;
  const asked = await Promise.all(
    issuers.map(async (issuer, index): Promise<Asked> => {
      const certificate = chain[index] ?? chain[0];
      return { certificate, status: await source.statusOf(certificate, issuer, signal) };
    }),
  );
  const findings = asked.map((each) => findRefusal(each, before));
  const refusal =
    findings.find((finding) => finding?.outcome === 'failed') ??
    findings.find((finding) => finding !== undefined);
  return refusal === undefined ? passing(asked) : { finding: refusal };
}

function findRefusal(
  { certificate, status }: Asked,
  before: SignedBefore | undefined,
): Finding | undefined {
  if (status.kind === 'unknown') return inconclude('revocation-unknown', status.because);
  if (status.kind !== 'revoked' || isForgiven(status, before)) return undefined;
  return fail('certificate-revoked', `certificate ${describe(certificate, status)}`);
}

function isForgiven(
  { revokedAt, invalidityDate, reason }: Revoked,
  before: SignedBefore | undefined,
): boolean {
  if (before === undefined) return false;
  const { signedAt, forgives } = before;
  if (signedAt.latest >= revokedAt) return false;
  if (invalidityDate !== undefined) return signedAt.latest < invalidityDate;
  return forgives === 'later-revocation' && isHarmlessReason(reason);
}

function passing(asked: readonly Asked[]): RevocationResult {
  const known = asked.flatMap(({ certificate, status }) =>
    'validUntil' in status ? [{ certificate, status }] : [],
  );
  const validUntil = earliest(...known.map(({ status }) => status.validUntil));
  if (validUntil === undefined) return { finding: pass({ sources: 'none named' }) };
  const later = known.flatMap(({ certificate, status }) =>
    status.kind === 'revoked' ? [describe(certificate, status)] : [],
  );
  const evidence = {
    sources: known.map(({ status }) => status.source).join(', '),
    ...(later.length > 0 && { revokedAfterSigning: later.join(', ') }),
  };
  return { finding: pass(evidence), validUntil };
}

function describe({ subject }: Certificate, status: Revoked): string {
  const { revokedAt, reason, invalidityDate, source } = status;
  const invalid =
    invalidityDate === undefined ? '' : `, invalid since ${invalidityDate.toISOString()}`;
  const why = reason === undefined ? '' : `, ${reason}`;
  return `${quoted(subject.text, 200)} was revoked at ${revokedAt.toISOString()}${why}${invalid} (${source})`;
}
