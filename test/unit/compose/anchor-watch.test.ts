import t, { type Test } from 'tap';
import { watchAnchors } from '../../../src/compose/anchor-watch.ts';
import type { Anchor } from '../../../src/compose/anchors.ts';
import { readCertificate } from '../../../src/crypto/certificate.ts';
import type { LogFields } from '../../../src/observe/log.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { makeChain } from '../../support/test-ca.ts';
import { datesAsText } from '../../support/dates-as-text.ts';

const day = 86_400_000;
const never = 2 ** 31 - 1;

function anchor(notAfter: string, store: Anchor['store'] = 'ca:acme'): Anchor {
  const { der } = makeChain({ root: { notAfter } }).root;
  return { store, certificate: readCertificate(der) };
}

/** From 2030-01-01 on. */
function watch(t: Test) {
  const clock = makeFakeClock();
  const warnings: { fields: LogFields; message: string }[] = [];
  const warn = (fields: LogFields, message: string): void =>
    void warnings.push({ fields, message });
  const log = { debug() {}, info() {}, warn, error() {} };
  const made = watchAnchors({ clock, log }, never);
  t.teardown(() => made.close());
  return { ...made, clock, warnings };
}

t.test('it is told at 30, 7 and 1 days and at the end, once each', async (t) => {
  const { take, look, clock, warnings } = watch(t);
  take([anchor('2030-03-01T00:00:00Z')]);
  const told: (readonly [day: number, left: unknown])[] = [];
  for (let days = 1; days < 80; days += 1) {
    clock.advanceMs(day);
    const before = warnings.length;
    look();
    look();
    for (const { fields } of warnings.slice(before)) told.push([days, fields['daysLeft']]);
  }
  t.same(told, [
    [30, 29],
    [53, 6],
    [59, 0],
    [60, -1],
  ]);
  t.match(
    datesAsText(warnings[0]),
    datesAsText({
      message: 'a trust anchor ends soon',
      fields: { store: 'ca:acme', subject: /acme root/, ends: new Date('2030-03-01T00:00:00Z') },
    }),
  );
  t.equal(warnings.at(-1)?.message, 'a trust anchor has ended');
});

t.test('what is taken is looked at at once, and the last warning alone counts', async (t) => {
  const { take, warnings } = watch(t);
  take([anchor('2030-01-03T00:00:00Z'), anchor('2049-01-01T00:00:00Z')]);
  t.match(warnings, [{ fields: { daysLeft: 2 } }]);
});

t.test('a reload does not say it again, and what comes back is told anew', async (t) => {
  const { take, warnings } = watch(t);
  const one = anchor('2030-01-03T00:00:00Z');
  take([one]);
  take([one]);
  t.equal(warnings.length, 1);
  take([one, { ...one, store: 'ca:other' }]);
  t.match(warnings[1], { fields: { store: 'ca:other' } });
  take([]);
  take([one]);
  t.equal(warnings.length, 3);
});
