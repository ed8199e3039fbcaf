import t from 'tap';
import { judgeOne, types } from '../../../support/attestation-kit.ts';

const settled = { name: 'vex.status', statuses: ['not_affected', 'fixed'] } as const;
const vex = (...statuses: readonly unknown[]) => ({
  '@context': 'https://openvex.dev/ns/v0.2.0',
  statements: statuses.map((status, at) => ({ vulnerability: { name: `CVE-${at}` }, status })),
});

t.test('every statement has one of the statuses', async (t) => {
  const { found, condition } = await judgeOne(settled, types.vex, vex('fixed', 'not_affected'));
  t.match(condition, { outcome: 'met' });
  t.equal(found.meets.length, 1);
});

const bad = [
  [vex('fixed', 'affected'), /"CVE-1" has status "affected"/],
  [vex('under_investigation'), /"under_investigation"/],
  [vex('Fixed'), /"Fixed"/],
  [vex(undefined), /has status absent/],
  [vex(), /no list of statements/],
  [{ statements: 'none' }, /no list of statements/],
  [{ statements: [{ vulnerability: 'CVE-9', status: 'affected' }] }, /"CVE-9"/],
  [null, /no list of statements/],
] as const;

for (const [predicate, because] of bad) {
  t.test(`${JSON.stringify(predicate)} does not`, async (t) => {
    const { found, condition } = await judgeOne(settled, types.vex, predicate);
    t.same(found.meets, []);
    t.match(condition, { outcome: 'not-met', because });
  });
}
