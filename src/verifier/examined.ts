import type { Clock } from '../kernel/clock.ts';
import type { Check } from '../verdict/check.ts';
import type { Report } from '../verdict/report.ts';

/**
 * What is remembered of one candidate. `untrusted` and `other` follow from its bytes, the rule and
 * the trust material alone. `unclear`: it is examined again, after those that nobody has seen.
 */
export type Remembered =
  | { readonly kind: 'untrusted'; readonly reports: readonly Report[] }
  | { readonly kind: 'other'; readonly because: string }
  | { readonly kind: 'unclear' };

/** What is remembered, and how many others were noted before it was, of all questions. */
export type Noted = Remembered & { readonly turn: number };

/** What is remembered about one subject under one rule, by candidate. */
export interface Recollection {
  get(candidate: string): Noted | undefined;
  set(candidate: string, remembered: Remembered): void;
}

/**
 * Candidates that were examined in vain, so that a verification that ended at its limits goes on
 * where it stopped, and a stranger's signatures are not examined at each request. In memory alone:
 * it saves work and admits nothing.
 */
export interface Examined {
  of(question: string): Recollection;
}

export interface ExaminedLimits {
  /** Candidates remembered in all; whole questions are forgotten, the one asked longest ago first. */
  readonly maxRemembered: number;
  /** After so long a question is asked from the beginning, in milliseconds. */
  readonly maxAgeMs: number;
}

interface Kept {
  readonly since: number;
  readonly candidates: Map<string, Noted>;
}

export function makeExamined(limits: ExaminedLimits, clock: Clock): Examined {
  const questions = new Map<string, Kept>();
  let count = 0;
  let turn = 0;
  const forget = (question: string): void => {
    count -= questions.get(question)?.candidates.size ?? 0;
    questions.delete(question);
  };
  const makeRoom = (asked: string): void => {
    for (const question of questions.keys()) {
      if (count < limits.maxRemembered) return;
      if (question !== asked) forget(question);
    }
  };
  const keptOf = (question: string): Kept => {
    const now = clock.monotonicMs();
    const known = questions.get(question);
    if (known !== undefined && now - known.since >= limits.maxAgeMs) forget(question);
    const kept = questions.get(question) ?? { since: now, candidates: new Map() };
    questions.delete(question);
    questions.set(question, kept);
    return kept;
  };
  return {
    of(question) {
      const asked = keptOf(question);
      return {
        get: (candidate) => asked.candidates.get(candidate),
        set(candidate, remembered) {
          // Forgotten meanwhile: what is noted now would never be counted.
          if (questions.get(question) !== asked) return;
          const isKnown = asked.candidates.has(candidate);
          if (!isKnown) makeRoom(question);
          if (!isKnown && count >= limits.maxRemembered) return;
          turn += 1;
          asked.candidates.set(candidate, { ...remembered, turn });
          if (!isKnown) count += 1;
        },
      };
    },
  };
}

/** The report with the checks alone that stopped it: what it needs to say why. */
export function inBrief(report: Report): Report {
  return { ...report, checks: report.checks.filter(stops) };
}

function stops({ outcome, enforcement }: Check): boolean {
  return outcome === 'failed' && enforcement === 'enforce';
}
