import { quoted } from '../../kernel/quoted.ts';
import type { RevocationSource } from '../../trust/revocation-source.ts';
import type { Finding } from '../signature-format.ts';
import type { CertificateChain } from './certificate-chain.ts';
import { fail, inconclude, pass } from './finding.ts';

export interface RevocationResult {
  readonly finding: Finding;
  /** When the ground for passing ends: the earliest nextUpdate. */
  readonly validUntil?: Date;
}

/**
 * Trust Store and Trust Policy specification, Certificate Revocation Evaluation: every certificate
 * but the root. One that names no source can't be revoked.
 */
export async function checkRevocation(
  chain: CertificateChain,
  source: RevocationSource,
  signal: AbortSignal,
): Promise<RevocationResult> {
  const ends: Date[] = [];
  const sources: string[] = [];
  for (const [index, certificate] of chain.entries()) {
    const issuer = chain[index + 1];
    if (issuer === undefined) break;
    const status = await source.statusOf(certificate, issuer, signal);
    const subject = quoted(certificate.subject.text, 200);
    if (status.kind === 'unknown') {
      return { finding: inconclude('revocation-unknown', status.because) };
    }
    if (status.kind === 'revoked') {
      const because = `certificate ${subject} was revoked at ${status.revokedAt.toISOString()} (${status.source})`;
      return { finding: fail('certificate-revoked', because) };
    }
    if (status.kind === 'not-revocable') continue;
    ends.push(status.validUntil);
    sources.push(status.source);
  }
  const [first, ...others] = ends;
  if (first === undefined) return { finding: pass({ sources: 'none named' }) };
  const validUntil = others.reduce((earliest, end) => (end < earliest ? end : earliest), first);
  return { finding: pass({ sources: sources.join(', ') }), validUntil };
}
