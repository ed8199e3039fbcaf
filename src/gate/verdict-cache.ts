import type { Clock } from '../kernel/clock.ts';
import type { Digest } from '../oci/digest.ts';
import type { Verdict } from '../verdict/verdict.ts';
import { missIfUnavailable } from './gate-error.ts';
import { keptMs } from './keeping.ts';
import { makeRecent } from './recent.ts';
import type { SealedState } from './sealed.ts';

/** Verdicts that were reached, by scope and subject, and lately by id. */
export interface VerdictCache {
  /**
   * The last verdict about it, whether still in force or not: it says that this was a root. Throws
   * `UnavailableError` where the state can't be read.
   */
  last(scope: string, subject: Digest): Promise<Verdict | undefined>;
  /** Whether that would be answered without the state. */
  isAtHand(scope: string, subject: Digest): boolean;
  /** What another replica left in the state, a denial that it shared included. */
  fromOthers(scope: string, subject: Digest): Promise<Verdict | undefined>;
  /** Keeps it: in the state what is or is served, in memory what is denied for a moment. */
  remember(verdict: Verdict): Promise<void>;
  /** Keeps it by id alone: it explains one denial and decides nothing. */
  note(verdict: Verdict): void;
  /** Tells other replicas of a denial, as long as it lasts. */
  shareDenial(verdict: Verdict): Promise<void>;
  /** For `/v1/verdicts/ID`. */
  byId(id: string): Promise<Verdict | undefined>;
}

export function makeVerdictCache(
  state: SealedState,
  maxInMemory: { readonly verdicts: number },
): VerdictCache {
  const recentById = makeRecent(maxInMemory.verdicts, weightOf);
  const { last, keep, recall, atHand } = makeRecall(state, maxInMemory.verdicts);
  return {
    last: (scope, subject) => last(verdictName(scope, subject)),
    isAtHand: (scope, subject) => atHand(verdictName(scope, subject)) !== undefined,
    async fromOthers(scope, subject) {
      const name = verdictName(scope, subject);
      const found = (await Promise.all([
        state.get(name),
        state.get(untrustedNameOf(scope, subject)),
      ])) as readonly (Verdict | undefined)[];
      const known = atHand(name);
      const newest = [known, ...found].reduce(newer);
      if (newest !== undefined && newest !== known) {
        recall(name, newest);
        recentById.set(newest.id, newest);
      }
      return newest;
    },
    async remember(verdict) {
      recentById.set(verdict.id, verdict);
      // "Could not find out" says nothing about the subject, and must not hide what was known.
      if (verdict.kind === 'inconclusive' && verdict.waiver === undefined) return;
      if (verdict.subject === undefined) return;
      const { scope, subject } = verdict;
      const name = verdictName(scope, subject);
      const former = await last(name).catch(missIfUnavailable);
      recall(name, verdict);
      await Promise.all([
        mayBeServed(verdict) ? keep(name, verdict) : state.delete(name),
        former === undefined ? undefined : state.delete(idNameOf(former.id)),
      ]);
    },
    note: (verdict) => recentById.set(verdict.id, verdict),
    async shareDenial(verdict) {
      if (verdict.kind !== 'untrusted' || verdict.subject === undefined) return;
      const name = untrustedNameOf(verdict.scope, verdict.subject);
      await state.put(name, verdict, { keepMs: lifeOf(verdict) });
    },
    async byId(id) {
      const known = recentById.get(id);
      if (known !== undefined) return known;
      const at = (await state.get(idNameOf(id))) as
        { readonly scope: string; readonly subject: Digest } | undefined;
      if (at === undefined) return undefined;
      const stored = (await state.get(verdictName(at.scope, at.subject))) as Verdict | undefined;
      return stored?.id === id ? stored : undefined;
    },
  };
}

/** Verdicts by their names in the state, the recent ones without asking it. */
function makeRecall(state: SealedState, maxVerdicts: number) {
  const weight = ({ verdict }: Recalled): number => weightOf(verdict);
  const served = makeRecent<Recalled>(maxVerdicts, weight);
  // Apart, so that whoever asks for what is denied pushes out nothing that is served.
  const refused = makeRecent<Recalled>(maxVerdicts, weight);
  const recent = (name: string): Recalled | undefined => served.get(name) ?? refused.get(name);
  const recall = (name: string, verdict: Verdict): void => {
    const [into, outOf] = mayBeServed(verdict) ? [served, refused] : [refused, served];
    into.set(name, { verdict, losses: state.losses() });
    outOf.delete(name);
  };
  const keep = async (name: string, verdict: Verdict): Promise<void> => {
    const { id, scope, subject } = verdict;
    await Promise.all([
      state.put(name, verdict, { keepMs: lifeOf(verdict) + keptMs }),
      state.put(idNameOf(id), { scope, subject }, { keepMs: lifeOf(verdict) + idKeptMs }),
    ]);
  };
  const last = async (name: string): Promise<Verdict | undefined> => {
    const known = recent(name);
    if (known === undefined) {
      const stored = (await state.get(name)) as Verdict | undefined;
      if (stored !== undefined) recall(name, stored);
      return stored;
    }
    const { verdict, losses } = known;
    if (losses !== state.losses()) {
      recall(name, verdict);
      if (mayBeServed(verdict)) await keep(name, verdict);
    }
    return verdict;
  };
  const atHand = (name: string): Verdict | undefined => recent(name)?.verdict;
  return { last, keep, recall, atHand };
}

interface Recalled {
  readonly verdict: Verdict;
  /** How often the state had lost something when it was put there, or read. */
  readonly losses: number;
}

const idKeptMs = 86_400_000;

function lifeOf({ checkedAt, expiresAt }: Verdict): number {
  return Math.max(1_000, expiresAt.getTime() - checkedAt.getTime());
}

/** An entry that was put back from the past must not hide what came after it. */
function newer(one: Verdict | undefined, other: Verdict | undefined): Verdict | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return other.checkedAt > one.checkedAt ? other : one;
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
function lasts({ checkedAt, expiresAt }: Verdict, clock: Clock): boolean {
  const now = clock.now();
  return now < expiresAt && checkedAt.getTime() - now.getTime() <= clockSlackMs;
}

/** In the last quarter of its life a verdict is renewed in the background. */
export function isDueForRenewal(verdict: Verdict, clock: Clock): boolean {
  return clock.now().getTime() >= renewalMs(verdict);
}

/** While it `lasts` and is not due for renewal: milliseconds since 1970, the end not included. */
export function restOf(verdict: Verdict): { readonly fromMs: number; readonly untilMs: number } {
  const { checkedAt, expiresAt } = verdict;
  return {
    fromMs: checkedAt.getTime() - clockSlackMs,
    untilMs: Math.min(expiresAt.getTime(), renewalMs(verdict)),
  };
}

function renewalMs({ checkedAt, expiresAt }: Verdict): number {
  const life = expiresAt.getTime() - checkedAt.getTime();
  return checkedAt.getTime() + (life * 3) / 4;
}

export function verdictName(scope: string, subject: Digest): string {
  return `verdict/${scope}@${subject}`;
}

function untrustedNameOf(scope: string, subject: Digest): string {
  return `untrusted/${scope}@${subject}`;
}

function idNameOf(id: string): string {
  return `verdict-id/${id}`;
}
