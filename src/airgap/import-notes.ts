import type { Clock } from '../kernel/clock.ts';
import { messageOf, TaggedError } from '../kernel/tagged-error.ts';
import { type AuditLine, writeAudit } from './audit-log.ts';
import { type ImageOutcome, isAdmitted } from './import-report.ts';
import type { StoreFiles } from './store-files.ts';

interface NoteDependencies {
  readonly store: Pick<StoreFiles, 'audit'>;
  readonly clock: Clock;
}

/** A line holds this much of what the policy said. */
const maxBecause = 4000;

/** Notes why an import failed; that it was stopped is no failure. Never throws. */
export async function noteFailure(
  cause: unknown,
  { store, clock }: NoteDependencies,
): Promise<void> {
  if (cause instanceof DOMException && cause.name === 'AbortError') return;
  const code = cause instanceof TaggedError ? String(cause.code) : 'INTERNAL';
  const line = { event: 'failed', code, because: messageOf(cause).slice(0, maxBecause) };
  await writeAudit(store, clock.now(), line).catch(() => undefined);
}

/** Notes that nothing was published, since the policy here does not admit what came. */
export async function noteRefusal(
  of: AuditLine,
  images: readonly ImageOutcome[],
  { store, clock }: NoteDependencies,
): Promise<void> {
  const refused = images.filter((image) => !isAdmitted(image));
  const because = refused
    .map(({ reference, reason, outcome }) => `${reference}: ${reason ?? outcome}`)
    .join('; ')
    .slice(0, maxBecause);
  const line = { event: 'refused', ...of, images: images.length, leftOut: refused.length, because };
  await writeAudit(store, clock.now(), line);
}
