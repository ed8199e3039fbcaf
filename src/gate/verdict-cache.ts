import type { Clock } from '../kernel/clock.ts';
import type { Digest } from '../oci/digest.ts';
import type { Verdict } from '../verdict/verdict.ts';
import { missIfUnavailable } from './gate-error.ts';
import { makeRecent } from './recent.ts';
import type { SealedState } from './sealed.ts';

/** Verdicts that were reached, by scope and subject, and lately by id. */
export interface VerdictCache {
  /**
   * The last verdict about it, whether still in force or not: it says that this was a root. Throws
   * `UnavailableError` where the state can't be read.
   */
  last(scope: string, subject: Digest): Promise<Verdict | undefined>;
  /** Keeps it: in the state what is or is served, in memory what is denied for a moment. */
  remember(verdict: Verdict): Promise<void>;
  /** Keeps it by id alone: it explains one denial and decides nothing. */
  note(verdict: Verdict): void;
  /** For `/v1/verdicts/ID`. */
  byId(id: string): Promise<Verdict | undefined>;
}

export function makeVerdictCache(
  state: SealedState,
  maxInMemory: { readonly verdicts: number },
): VerdictCache {
  const recent = makeRecent(maxInMemory.verdicts, weightOf);
  const recentById = makeRecent(maxInMemory.verdicts, weightOf);
  const last = async (name: string): Promise<Verdict | undefined> => {
    const known = recent.get(name);
    if (known !== undefined) return known;
    const stored = (await state.get(name)) as Verdict | undefined;
    if (stored !== undefined) recent.set(name, stored);
    return stored;
  };
  return {
    last: (scope, subject) => last(nameOf(scope, subject)),
    async remember(verdict) {
      recentById.set(verdict.id, verdict);
      // "Could not find out" says nothing about the subject, and must not hide what was known.
      if (verdict.kind === 'inconclusive' && verdict.waiver === undefined) return;
      if (verdict.subject === undefined) return;
      const { id, scope, subject } = verdict;
      const name = nameOf(scope, subject);
      const former = await last(name).catch(missIfUnavailable);
      recent.set(name, verdict);
      const isKept = mayBeServed(verdict);
      await Promise.all([
        isKept ? state.put(name, verdict) : state.delete(name),
        isKept ? state.put(idNameOf(id), { scope, subject }) : undefined,
        former === undefined ? undefined : state.delete(idNameOf(former.id)),
      ]);
    },
    note: (verdict) => recentById.set(verdict.id, verdict),
    async byId(id) {
      const known = recentById.get(id);
      if (known !== undefined) return known;
      const at = (await state.get(idNameOf(id))) as
        { readonly scope: string; readonly subject: Digest } | undefined;
      if (at === undefined) return undefined;
      const stored = (await state.get(nameOf(at.scope, at.subject))) as Verdict | undefined;
      return stored?.id === id ? stored : undefined;
    },
  };
}

/** One for each report: whoever attaches dozens of signatures must not fill the memory with them. */
export function weightOf({ reports, children }: Verdict): number {
  return children.reduce((sum, child) => sum + weightOf(child), Math.max(1, reports.length));
}

/** Trusted, or served without trust because the policy says so. */
export function mayBeServed(verdict: Verdict): boolean {
  return verdict.kind === 'trusted' || verdict.waiver !== undefined;
}

/** A verdict decides only while it lasts and while what decided it is still in force. */
export function isInForce(verdict: Verdict, ruleDigest: string, clock: Clock): boolean {
  return verdict.ruleDigest === ruleDigest && lasts(verdict, clock);
}

/** Replicas' clocks differ, and a clock is set right by so much without a step. */
const clockSlackMs = 60_000;

/**
 * Whether it is within the verdict's life. One from the future was reached by a clock that was
 * wrong: put right, it would take years to end it.
 */
export function lasts({ checkedAt, expiresAt }: Verdict, clock: Clock): boolean {
  const now = clock.now();
  return now < expiresAt && checkedAt.getTime() - now.getTime() <= clockSlackMs;
}

/** In the last quarter of its life a verdict is renewed in the background. */
export function isDueForRenewal(verdict: Verdict, clock: Clock): boolean {
  const life = verdict.expiresAt.getTime() - verdict.checkedAt.getTime();
  return clock.now().getTime() >= verdict.checkedAt.getTime() + (life * 3) / 4;
}

function nameOf(scope: string, subject: Digest): string {
  return `verdict/${scope}@${subject}`;
}

function idNameOf(id: string): string {
  return `verdict-id/${id}`;
}
