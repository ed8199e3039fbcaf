import { DeniedError, NotFoundError } from '../gate/gate-error.ts';
import type { Admission } from '../gate/trusted-content.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Digest } from '../oci/digest.ts';
import type { Reason } from '../verdict/reason.ts';

/** What the gate said of an image of a list. */
export interface ImageOutcome {
  /** In full, with the tag or digest that the list names. */
  readonly reference: string;
  /**
   * `waived`: served without trust, by an exemption or in audit mode. `absent`: it, or a platform
   * that is asked for, does not exist upstream. `failed`: it could not be found out or fetched.
   */
  readonly outcome: 'trusted' | 'waived' | 'denied' | 'absent' | 'failed';
  readonly digest?: Digest;
  /** The verdict's id. */
  readonly verdict?: string;
  readonly reason?: Reason;
  readonly because?: string;
  readonly warnings: readonly string[];
}

export function outcomeOf({ by }: Pick<Admission, 'by'>): 'trusted' | 'waived' {
  return by === 'verdict' || by === 'evidence' ? 'trusted' : 'waived';
}

/** Of what was thrown on the way to an image. */
export function describeRefusal(
  error: unknown,
  signal: AbortSignal,
): Pick<ImageOutcome, 'outcome' | 'reason' | 'because' | 'digest' | 'verdict'> {
  if (signal.aborted) return { outcome: 'failed', because: 'it was stopped' };
  const because = messageOf(error);
  if (error instanceof DeniedError) {
    const { reason, verdict } = error;
    const digest = verdict.subject && { digest: verdict.subject };
    return { outcome: 'denied', reason, because, verdict: verdict.id, ...digest };
  }
  if (error instanceof NotFoundError) return { outcome: 'absent', because };
  return { outcome: 'failed', because };
}
