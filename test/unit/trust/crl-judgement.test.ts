import t from 'tap';
import type { Certificate } from '../../../src/crypto/x509.ts';
import type { CrlEntry } from '../../../src/crypto/crl-entries.ts';
import { allReasons } from '../../../src/crypto/crl-extensions.ts';
import { readCrl } from '../../../src/crypto/crl.ts';
import { type ListOutcome, outcomeOf, statusOfLists } from '../../../src/trust/crl-judgement.ts';
import { datesAsText } from '../../support/dates-as-text.ts';
import { makeRevocationCase } from '../../support/revocation-kit.ts';
import { buildCrl } from '../../support/test-crl.ts';

const { issuer, leaf, root, read } = makeRevocationCase();
const [certificate, authority] = read;

t.test(
  'a list is searched once for each certificate, however often it is asked about',
  async (t) => {
    const { entries, ...list } = readCrl(buildCrl({ issuer, revoked: [leaf, root] }));
    let searches = 0;
    const base = {
      ...list,
      get entries() {
        searches += 1;
        return entries;
      },
    };
    const ask = (of: Certificate) =>
      outcomeOf(of, 'a list', async () => ({ base, source: 'a list', validUntil: new Date() }));
    const both = await Promise.all([ask(certificate), ask(certificate)]);
    for (const outcome of [...both, await ask(certificate)]) t.match(outcome, { entry: {} });
    t.equal(searches, 1);
    const other = await ask(authority);
    t.ok('list' in other && other.entry === undefined);
    t.equal(searches, 2);
  },
);

const day = (text: string): Date => new Date(`${text}T00:00:00Z`);
const base = readCrl(buildCrl({ issuer }));
const list = (source: string, entry?: CrlEntry, until = '2030-02-01'): ListOutcome => ({
  list: { base, source, validUntil: day(until) },
  covered: allReasons,
  entry,
});
const superseded = { reason: 'superseded', revokedAt: day('2029-03-01') };
const compromised = { reason: 'keyCompromise', revokedAt: day('2029-06-01') };
const status = (...outcomes: readonly ListOutcome[]) => datesAsText(statusOfLists(outcomes));

t.test('of revocations by several lists the gravest counts, in whatever order', async (t) => {
  const expected = datesAsText({
    kind: 'revoked',
    reason: 'keyCompromise',
    revokedAt: day('2029-03-01'),
    validUntil: day('2030-01-02'),
  });
  const [one, other] = [list('a', superseded), list('b', compromised, '2030-01-02')];
  t.match(status(one, other), expected);
  t.match(status(other, one), expected);
  const unstated = { revokedAt: day('2029-06-01') };
  t.notHas(status(one, list('b', unstated)), { reason: 'superseded' });
});

t.test('an invalidity date counts where every revocation has one: the earliest', async (t) => {
  const since = (text: string) => ({ ...compromised, invalidityDate: day(text) });
  const [early, late] = [list('a', since('2029-01-01')), list('b', since('2029-02-01'))];
  t.match(status(late, early), datesAsText({ invalidityDate: day('2029-01-01') }));
  const undated = status(early, list('b', superseded));
  t.match(undated, { kind: 'revoked', reason: 'keyCompromise' });
  t.notOk(Object.hasOwn(Object(undated), 'invalidityDate'));
});

t.test('where a list could not be read no reason is told: it may hold a graver one', async (t) => {
  const whole = status(list('a', superseded), list('b', undefined, '2030-01-02'));
  t.match(whole, { reason: 'superseded', validUntil: '2030-01-02T00:00:00.000Z' });
  const parts = [
    status(list('a', superseded), { because: 'no such host' }),
    status({ ...list('a', superseded), covered: 0b10 }),
  ];
  for (const part of parts) t.strictSame(part, { ...Object(part), kind: 'revoked' });
  for (const part of parts) t.notHas(part, { reason: 'superseded' });
});
