import t from 'tap';
import type { CrlEntry } from '../../../src/crypto/crl-entries.ts';
import { gravestOf } from '../../../src/trust/gravest-revocation.ts';

const day = (text: string): Date => new Date(`${text}T00:00:00Z`);
const [march, june] = [day('2029-03-01'), day('2029-06-01')];
const [january, february] = [day('2029-01-01'), day('2029-02-01')];

const superseded: CrlEntry = { revokedAt: march, reason: 'superseded' };
const compromised: CrlEntry = { revokedAt: june, reason: 'keyCompromise' };

t.test('a single revocation is what it is', async (t) => {
  for (const entry of [
    superseded,
    { revokedAt: june },
    { ...compromised, invalidityDate: march },
  ]) {
    t.strictSame(gravestOf([entry]), entry);
  }
});

t.test('the first time counts, and the reason that forgives least', async (t) => {
  const both = { revokedAt: march, reason: 'keyCompromise' };
  t.strictSame(gravestOf([superseded, compromised]), both);
  t.strictSame(gravestOf([compromised, superseded]), both);
  t.strictSame(gravestOf([superseded, { revokedAt: june }]), { revokedAt: march });
  const later: CrlEntry = { revokedAt: june, reason: 'cessationOfOperation' };
  t.strictSame(gravestOf([superseded, later]), superseded, 'of harmless ones the first');
});

t.test('of invalidity dates the earliest counts', async (t) => {
  const early = { ...compromised, invalidityDate: january };
  const late = { ...compromised, invalidityDate: february };
  t.strictSame(gravestOf([early, late]), early);
  t.strictSame(gravestOf([late, early]), early);
});

t.test('an invalidity date forgives nothing where one revocation has none', async (t) => {
  const dated = { ...compromised, invalidityDate: february };
  const orders = [
    [compromised, dated, dated],
    [dated, compromised, dated],
    [dated, dated, compromised],
  ] as const;
  for (const order of orders) t.strictSame(gravestOf(order), compromised);
});
