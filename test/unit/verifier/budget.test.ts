import t from 'tap';
import { makeBudget } from '../../../src/verifier/budget.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';

const limits = { maxCandidates: 2, maxBytes: 100, maxMs: 1000 };
const never = (): AbortSignal => new AbortController().signal;

t.test('candidates are counted, and what is under way may go on without more', async (t) => {
  const budget = makeBudget(limits, makeFakeClock(), never());
  t.equal(budget.spent(), undefined);
  t.strictSame(
    [1, 2, 3].map(() => budget.takeCandidate()),
    [true, true, false],
  );
  t.equal(budget.spent(), '2 were examined');
  t.equal(budget.isOver(), false);
});

t.test('bytes are taken whole or not at all', async (t) => {
  const budget = makeBudget(limits, makeFakeClock(), never());
  t.equal(budget.takeBytes(101), false);
  t.equal(budget.takeBytes(60), true);
  t.equal(budget.takeBytes(60), false);
  t.equal(budget.isOver(), false);
  t.equal(budget.takeBytes(40), true);
  t.equal(budget.isOver(), true);
  t.equal(budget.spent(), '100 bytes were read');
});

t.test('bytes that came unasked count too', async (t) => {
  const budget = makeBudget(limits, makeFakeClock(), never());
  budget.noteBytes(1000);
  t.equal(budget.isOver(), true);
});

t.test('time ends it', async (t) => {
  const clock = makeFakeClock();
  const budget = makeBudget(limits, clock, never());
  clock.advanceMs(999);
  t.equal(budget.isOver(), false);
  clock.advanceMs(1);
  t.equal(budget.spent(), 'the time is over');
});

t.test("the caller's end is its end", async (t) => {
  const caller = new AbortController();
  const budget = makeBudget(limits, makeFakeClock(), caller.signal);
  caller.abort();
  t.equal(budget.isOver(), true);
  t.equal(budget.signal.aborted, true);
});
