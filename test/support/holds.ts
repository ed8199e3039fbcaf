import * as fc from 'fast-check';
import type { Test } from 'tap';

/** Milliseconds for which one property is tried; more by hand and in nightly runs. */
const timeBoxMs = Number(process.env['ASSAY_FUZZ_MS'] ?? 2000);

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
  const details = await fc.check(property as fc.IRawProperty<Ts, true>, {
    numRuns: Number.MAX_SAFE_INTEGER,
    interruptAfterTimeLimit: timeBoxMs,
    ...(given !== undefined && { seed: Number(given) }),
  });
  const seed = `seed ${details.seed}, ${details.numRuns} inputs`;
  t.comment(`${title}: ${seed}`);
  if (details.failed && !(details.interrupted && details.counterexample === null)) {
    t.fail(`${title} (${seed})`, { found: fc.defaultReportMessage(details) });
  } else {
    t.ok(details.numRuns > 0, `${title} (${seed})`);
  }
}
