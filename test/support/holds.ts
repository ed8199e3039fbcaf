import { randomInt } from 'node:crypto';
import * as fc from 'fast-check';
import type { Test } from 'tap';

/** Milliseconds for which one property is tried; more by hand and in nightly runs. */
const timeBoxMs = Number(process.env['ASSAY_FUZZ_MS'] ?? 400);

/** Inputs that are tried whatever the time: on a loaded machine the first may take all of it. */
const minInputs = 3;

/**
 * Milliseconds of processor time that one input may take: far more than any needs, so that only
 * one whose cost grows faster than itself gets there, on any machine.
 */
const maxCaseMs = 3000;

/**
 * Tries a property with new inputs until its time is up, and reports it as one assertion with the
 * seed that brings the same inputs again (ASSAY_FUZZ_SEED).
 */
export async function holds<Ts>(
  t: Test,
  title: string,
  property: fc.IRawProperty<Ts>,
): Promise<void> {
  const given = process.env['ASSAY_FUZZ_SEED'];
  // One that never ends is found by the seed of the last comment.
  const seed = given === undefined ? randomInt(2 ** 31) : Number(given);
  t.comment(`${title}: begins with seed ${seed}`);
  const tried = timed(property) as fc.IRawProperty<Ts, true>;
  const few = await fc.check(tried, { numRuns: minInputs, seed });
  const details = few.failed
    ? few
    : await fc.check(tried, {
        numRuns: Number.MAX_SAFE_INTEGER,
        interruptAfterTimeLimit: timeBoxMs,
        seed,
      });
  const inputs = Math.max(few.numRuns, details.numRuns);
  const told = `${title} (seed ${details.seed}, ${inputs} inputs)`;
  t.comment(told);
  if (details.failed && !(details.interrupted && details.counterexample === null)) {
    t.fail(told, { found: fc.defaultReportMessage(details) });
  } else {
    t.ok(inputs > 0, told);
  }
}

/** The same property, which an input that takes too long does not have. */
function timed<Ts>(property: fc.IRawProperty<Ts>): fc.IRawProperty<Ts> {
  const judge = (outcome: Outcome, before: NodeJS.CpuUsage): Outcome => {
    const { user, system } = process.cpuUsage(before);
    const usedMs = (user + system) / 1000;
    if (outcome !== null || usedMs <= maxCaseMs) return outcome;
    return { error: new Error(`one input took ${Math.round(usedMs)} ms of processor time`) };
  };
  const run = (value: Ts): Outcome | Promise<Outcome> => {
    const before = process.cpuUsage();
    const outcome = property.run(value);
    return outcome instanceof Promise
      ? outcome.then((each) => judge(each, before))
      : judge(outcome, before);
  };
  return new Proxy(property, {
    get: (target, name) => {
      const member: unknown = name === 'run' ? run : Reflect.get(target, name);
      return typeof member === 'function' && name !== 'run' ? member.bind(target) : member;
    },
  });
}

type Outcome = Exclude<ReturnType<fc.IRawProperty<unknown>['run']>, Promise<unknown>>;
