import t from 'tap';
import { decide } from '../../../src/policies/decide.ts';
import type { RequireRule } from '../../../src/policies/policy.ts';
import type { Report } from '../../../src/verdict/report.ts';
import type { Verdict } from '../../../src/verdict/verdict.ts';
import {
  isFreshEnough,
  signingTimesOf,
  signingTimesOfAll,
} from '../../../src/verifier/signing-times.ts';
import { failedReport, trustedReport } from '../../support/policy-kit.ts';

const day = (number: number): Date => new Date(Date.UTC(2030, 0, number));
const at = (number: number) => ({ earliest: day(number), latest: day(number) });

/** By a key of its own each, made on that day of January. */
function made(identity: string, number: number | undefined, key = `${identity} ${number}`): Report {
  const report = trustedReport(identity, key);
  return number === undefined ? report : { ...report, signedAt: at(number) };
}

const attestation = {
  digest: 'att',
  predicateTypes: ['https://slsa.dev/provenance/v1'],
  signedBy: 'ci',
  conditions: [],
  maxAgeMs: undefined,
} as unknown as Extract<RequireRule['requirement'], { attestation: unknown }>['attestation'];

function attested(number: number): Report {
  const found = { predicateType: 'https://slsa.dev/provenance/v1', meets: ['att'], conditions: [] };
  return { ...made('ci', number), attestation: found };
}

const a = { signedBy: 'a' } as const;
const b = { signedBy: 'b' } as const;

const cases: readonly (readonly [
  string,
  RequireRule['requirement'],
  readonly Report[],
  { readonly oldest?: number; readonly freshest?: number },
])[] = [
  ['one signature', a, [made('a', 3)], { oldest: 3, freshest: 3 }],
  ['the newer of two does', a, [made('a', 3), made('a', 5)], { oldest: 3, freshest: 5 }],
  ['no time is no time', a, [made('a', undefined)], {}],
  [
    'who has no time is passed over',
    a,
    [made('a', undefined), made('a', 2)],
    { oldest: 2, freshest: 2 },
  ],
  [
    'of two that are needed the older one counts',
    { allOf: [a, b] },
    [made('a', 3), made('b', 7)],
    { oldest: 3, freshest: 3 },
  ],
  [
    'one that is needed has no time',
    { allOf: [a, b] },
    [made('a', 3), made('b', undefined)],
    { oldest: 3 },
  ],
  [
    'of two that would do the newer one counts',
    { anyOf: [a, b] },
    [made('a', 3), made('b', 7)],
    { oldest: 3, freshest: 7 },
  ],
  [
    'so many of some',
    { atLeast: { count: 2, of: [a, b, { signedBy: 'c' }] } },
    [made('a', 3), made('b', 7), made('c', 5)],
    { oldest: 3, freshest: 5 },
  ],
  [
    'untrusted ones have no say',
    a,
    [made('a', 3), { ...failedReport('a', 'untrusted'), signedAt: at(9) }],
    { oldest: 3, freshest: 3 },
  ],
  [
    'an attestation beside a signature has an age of its own',
    { allOf: [a, { attestation }] },
    [made('a', 3), attested(1)],
    { oldest: 3, freshest: 3 },
  ],
  [
    'an attestation alone is as old as its signature',
    { attestation },
    [attested(1), attested(4)],
    { oldest: 1, freshest: 4 },
  ],
];

for (const [title, requirement, reports, { oldest, freshest }] of cases) {
  t.test(`the times of what was signed: ${title}`, async (t) => {
    t.same(signingTimesOf(requirement, reports, decide), {
      ...(oldest && { oldest: at(oldest) }),
      ...(freshest && { freshest: at(freshest) }),
    });
  });
}

t.test('an index is as old as the oldest of its platforms, if all of them say', async (t) => {
  const verdict = (number?: number): Verdict =>
    ({ signed: number && { oldest: at(number), freshest: at(number + 1) } }) as unknown as Verdict;
  const all = signingTimesOfAll([verdict(4), verdict(2), verdict(6)]);
  t.same(all, { oldest: at(2), freshest: at(3) });
  t.same(signingTimesOfAll([verdict(4), verdict()]), {});
});

t.test(
  'fresh is what was made within the age, from the earliest that it can have been',
  async (t) => {
    const rule = (maxSignatureAgeMs?: number): RequireRule =>
      ({ tags: { rollback: 'allow', allowedRollbacks: [], maxSignatureAgeMs } }) as never;
    const signed = { freshest: { earliest: day(1), latest: day(2) } };
    const twoDays = rule(2 * 86_400_000);
    t.ok(isFreshEnough(twoDays, signed, new Date(day(3).getTime() - 1)));
    t.notOk(isFreshEnough(twoDays, signed, day(3)));
    t.notOk(isFreshEnough(twoDays, {}, day(1)), 'without a time nothing is fresh');
    t.ok(isFreshEnough(rule(), {}, day(1)), 'unless nobody asks');
    t.ok(isFreshEnough({ tags: undefined } as never, {}, day(1)));
  },
);
