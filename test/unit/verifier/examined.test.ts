import t from 'tap';
import type { Report } from '../../../src/verdict/report.ts';
import { inBrief, makeExamined, type Remembered } from '../../../src/verifier/examined.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';

const other: Remembered = { kind: 'other', because: 'an SBOM' };
const limits = { maxRemembered: 3, maxAgeMs: 1000 };

t.test('each question remembers its own candidates', async (t) => {
  const examined = makeExamined(limits, makeFakeClock());
  examined.of('one').set('a', other);
  t.match(examined.of('one').get('a'), other);
  t.equal(examined.of('two').get('a'), undefined);
});

t.test('when it is full the question asked longest ago is forgotten', async (t) => {
  const examined = makeExamined(limits, makeFakeClock());
  examined.of('one').set('a', other);
  examined.of('two').set('a', other);
  examined.of('one').set('b', other);
  examined.of('three').set('a', other);
  t.equal(examined.of('two').get('a'), undefined);
  t.ok(examined.of('one').get('a'));
  t.ok(examined.of('three').get('a'));
});

t.test('one question alone does not grow past the bound', async (t) => {
  const examined = makeExamined(limits, makeFakeClock());
  const recollection = examined.of('one');
  for (const name of ['a', 'b', 'c', 'd']) recollection.set(name, other);
  t.equal(recollection.get('d'), undefined);
  recollection.set('a', { kind: 'unclear' });
  t.match(recollection.get('a'), { kind: 'unclear' }, 'what is known may change');
});

t.test('what is noted for a question that was forgotten meanwhile is dropped', async (t) => {
  const examined = makeExamined(limits, makeFakeClock());
  const old = examined.of('one');
  old.set('a', other);
  for (const name of ['a', 'b', 'c']) examined.of('two').set(name, other);
  old.set('b', other);
  t.equal(examined.of('one').get('b'), undefined);
});

t.test('after its age a question begins anew', async (t) => {
  const clock = makeFakeClock();
  const examined = makeExamined(limits, clock);
  examined.of('one').set('a', other);
  clock.advanceMs(999);
  t.ok(examined.of('one').get('a'));
  clock.advanceMs(1);
  t.equal(examined.of('one').get('a'), undefined);
});

t.test('a report in brief keeps the checks alone that stopped it', async (t) => {
  const check = { id: 'x', rule: 'r', because: 'b' } as const;
  const report = {
    outcome: 'untrusted',
    reason: 'signature-invalid',
    checks: [
      { ...check, outcome: 'passed', enforcement: 'enforce' },
      { ...check, outcome: 'failed', enforcement: 'log' },
      { ...check, outcome: 'failed', enforcement: 'enforce' },
      { ...check, outcome: 'not-run', enforcement: 'enforce' },
    ],
  } as unknown as Report;
  t.strictSame(inBrief(report), { ...report, checks: [report.checks[2]] });
});
