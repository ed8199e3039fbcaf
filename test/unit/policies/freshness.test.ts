import t from 'tap';
import type { Condition } from '../../../src/policies/conditions/condition.ts';
import { judgeAge } from '../../../src/policies/freshness.ts';
import { now, types } from '../../support/attestation-kit.ts';

const day = 86_400_000;
const ago = (ms: number) => new Date(now.getTime() - ms);
const scan: Condition = {
  name: 'vuln.maxSeverity',
  severity: 'low',
  unknown: 'refused',
  except: [],
};

function age(
  predicateType: string,
  predicate: unknown,
  signedBy: Date | undefined,
  conditions: readonly Condition[] = [],
) {
  const statement = {
    predicateType,
    predicate: JSON.parse(JSON.stringify(predicate)),
    subject: [],
  };
  return judgeAge(7 * day, conditions, statement, { signedBy, now });
}

t.test('a statement is as old as its signature', async (t) => {
  t.match(age(types.slsa, {}, ago(6 * day)), {
    isMet: true,
    freshUntil: new Date(now.getTime() + day),
  });
  t.match(age(types.slsa, {}, ago(7 * day - 1)), { isMet: true });
  t.match(age(types.slsa, {}, ago(7 * day)), { isMet: false, because: /too long ago/ });
});

t.test('without a trusted time nothing is known of its age', async (t) => {
  t.match(age(types.slsa, {}, undefined), { isMet: false, because: /no trusted time/ });
});

const scans = [
  [
    'a scan of cosign',
    types.cosignVuln,
    (at: string) => ({ metadata: { scanFinishedOn: at } }),
    [],
  ],
  ['a scan of in-toto', types.vulns, (at: string) => ({ metadata: { scanFinishedOn: at } }), []],
  ['a summary', types.vsa, (at: string) => ({ timeVerified: at }), []],
  [
    'a scan in CycloneDX',
    types.cyclonedx,
    (at: string) => ({ metadata: { timestamp: at } }),
    [scan],
  ],
] as const;

for (const [what, type, at, conditions] of scans) {
  t.test(`${what} is as old as it says, however young its signature is`, async (t) => {
    const old = ago(8 * day).toISOString();
    t.match(age(type, at(old), ago(day), conditions), { isMet: false, because: /too long ago/ });
    const young = ago(2 * day);
    t.match(age(type, at(young.toISOString()), ago(day), conditions), {
      isMet: true,
      freshUntil: new Date(young.getTime() + 7 * day),
    });
    t.match(age(type, at(young.toISOString()), undefined, conditions), { isMet: true });
  });

  t.test(`${what} that says no time, or a later one than its signature, has no age`, async (t) => {
    const missing = age(type, {}, ago(day), conditions);
    t.match(missing, { isMet: false, because: /is no time/ });
    t.match(age(type, at('2029-12-31'), ago(day), conditions), {
      isMet: false,
      because: /is no time/,
    });
    t.match(age(type, at(ago(day / 2).toISOString()), ago(day), conditions), {
      isMet: false,
      because: /after it was signed/,
    });
    const future = new Date(now.getTime() + day).toISOString();
    t.match(age(type, at(future), undefined, conditions), { isMet: false, because: /after/ });
  });
}

t.test('an SBOM without a question about vulnerabilities is as old as its signature', async (t) => {
  const predicate = { metadata: { timestamp: ago(300 * day).toISOString() } };
  t.match(age(types.cyclonedx, predicate, ago(day)), { isMet: true });
});

t.test('times as Go writes them are read', async (t) => {
  const predicate = { metadata: { scanFinishedOn: '2029-12-31T23:59:59.123456789+01:00' } };
  t.match(age(types.cosignVuln, predicate, undefined), { isMet: true });
});

t.test('clocks may differ by minutes', async (t) => {
  const predicate = { timeVerified: new Date(now.getTime() + 60_000).toISOString() };
  t.match(age(types.vsa, predicate, undefined), { isMet: true });
});
