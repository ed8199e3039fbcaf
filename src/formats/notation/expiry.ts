import type { Finding } from '../signature-format.ts';
import { fail, pass } from '../finding.ts';

/** Signature Specification, Expiry: expired when the time is greater than or equal to it. */
export function checkExpiry(expiry: Date | undefined, now: Date): Finding {
  if (expiry === undefined) return pass({ expiry: 'none' });
  const text = expiry.toISOString();
  if (now >= expiry) return fail('signature-expired', `the signature expired at ${text}`);
  return pass({ expiry: text });
}
