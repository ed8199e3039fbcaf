import { randomHex } from '../kernel/clock.ts';
import type { Reason } from './reason.ts';
import type { Verdict } from './verdict.ts';

/** A verdict that rests on no signature: nothing was examined, and it holds for this answer alone. */
export function refusal(
  of: Pick<Verdict, 'scope' | 'subject' | 'because'> & { readonly reason: Reason },
  at: Date,
): Verdict {
  return {
    id: randomHex(6),
    kind: 'untrusted',
    ...of,
    reports: [],
    children: [],
    checkedAt: at,
    expiresAt: at,
    ruleDigest: '',
  };
}

/** What a repository gets for which no rule could admit anything. */
export function noRuleFor(scope: string): Parameters<typeof refusal>[0] {
  const because = `no rule of the trust policy matches ${scope}`;
  return { scope, subject: undefined, reason: 'no-rule', because };
}
