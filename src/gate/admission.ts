import type { Reason } from '../verdict/reason.ts';
import type { Verdict } from '../verdict/verdict.ts';
import { DeniedError, UnavailableError } from './gate-error.ts';
import type { Admission, Trusted } from './trusted-content.ts';
import type { Voucher } from './voucher.ts';

/** The one place where content becomes trusted: by a voucher, never without. */
export function admit<T extends object>(
  content: T,
  voucher: Voucher,
  cache: Admission['cache'],
): Trusted<T & { readonly admission: Admission }> {
  const admission: Admission = {
    verdict: voucher.verdict,
    by: groundOf(voucher),
    warnings: warningsOf(voucher),
    cache,
    through: voucher.through,
  };
  return { ...content, admission } as Trusted<T & { readonly admission: Admission }>;
}

/** The same content, served with more to be said of it. */
export function withWarnings<T extends { readonly admission: Admission }>(
  content: T,
  texts: readonly string[],
): T {
  if (texts.length === 0) return content;
  const { admission } = content;
  return { ...content, admission: { ...admission, warnings: [...admission.warnings, ...texts] } };
}

/** Lists of names carry no content: what they name is decided on when it is asked for. */
export function admitList<T extends object>(list: T): Trusted<T> {
  return list as Trusted<T>;
}

/**
 * Ends a request that nobody vouches for. What could not be found out goes first: it is no
 * denial, and another try may bring another answer.
 */
export function refuse(verdicts: readonly [Verdict, ...Verdict[]]): never {
  const unclear = verdicts.find(({ kind }) => kind === 'inconclusive');
  if (unclear !== undefined) {
    throw new UnavailableError('UNAVAILABLE', unclear.because, {
      verdict: unclear,
      retryAfterSeconds: unclear.retryAfterSeconds ?? 5,
    });
  }
  // Of several denials the one that a person decided upon says most.
  const verdict = verdicts.find(({ reason }) => reason === 'denylisted') ?? verdicts[0];
  throw new DeniedError(verdict, reasonOf(verdict));
}

function reasonOf(verdict: Verdict): Reason {
  return verdict.reason ?? 'no-trusted-signer';
}

function groundOf({ by, verdict }: Voucher): Admission['by'] {
  if (by === 'evidence') return 'evidence';
  if (verdict.kind === 'trusted') return 'verdict';
  return verdict.waiver?.kind === 'exemption' ? 'exemption' : 'audit';
}

function warningsOf({ verdict }: Voucher): readonly string[] {
  const { waiver, reason, because } = verdict;
  if (waiver === undefined) return [];
  const until = waiver.until.toISOString();
  return waiver.kind === 'audit'
    ? [`audit mode until ${until}: would be denied: ${reason ?? ''}: ${because}`]
    : [`exempted from verification until ${until}: ${waiver.reason}`];
}
