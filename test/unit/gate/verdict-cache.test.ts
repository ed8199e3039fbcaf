import t from 'tap';
import { makeSealedState } from '../../../src/gate/sealed.ts';
import { makeVerdictCache, type VerdictCache } from '../../../src/gate/verdict-cache.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { makeMemoryKeyValue } from '../../../src/storage/memory-key-value.ts';
import type { Report } from '../../../src/verdict/report.ts';
import type { Verdict } from '../../../src/verdict/verdict.ts';
import { makeCountingMetrics, makeKeptLog } from '../../support/silence.ts';

const at = new Date('2030-01-01T00:00:00Z');
const report: Report = {
  format: 'toy',
  signature: digestOf(Buffer.from('signature')),
  identity: 'alice',
  outcome: 'untrusted',
  checks: [],
  loggedFailures: 0,
};

function denial(id: string, reports: number, children: readonly Verdict[] = []): Verdict {
  return {
    id,
    kind: 'untrusted',
    scope: 'reg/app',
    subject: digestOf(Buffer.from(id)),
    reason: 'no-trusted-signer',
    because: 'by nobody',
    reports: Array.from({ length: reports }, () => report),
    children,
    checkedAt: at,
    expiresAt: at,
    ruleDigest: 'rule',
  };
}

function makeCache(): VerdictCache {
  const observed = { metrics: makeCountingMetrics(), log: makeKeptLog() };
  const state = makeSealedState(makeMemoryKeyValue(), [Buffer.alloc(32, 7)], observed);
  return makeVerdictCache(state, { verdicts: 10 });
}

t.test('denials weigh as much as the signatures that were examined for them', async (t) => {
  const known = async (cache: VerdictCache, verdicts: readonly Verdict[]): Promise<boolean[]> => {
    const found = verdicts.map(async ({ id }) => (await cache.byId(id)) !== undefined);
    return Promise.all(found);
  };
  const cases: readonly (readonly [verdicts: readonly Verdict[], kept: readonly boolean[]])[] = [
    [
      [denial('a', 0), denial('b', 1), denial('c', 8)],
      [true, true, true],
    ],
    [
      [denial('a', 0), denial('b', 1), denial('c', 9)],
      [false, true, true],
    ],
    [
      [denial('a', 6), denial('b', 6)],
      [false, true],
    ],
    [
      [denial('a', 1), denial('b', 1, [denial('c', 4), denial('d', 5)])],
      [false, true],
    ],
  ];
  for (const [verdicts, kept] of cases) {
    const cache = makeCache();
    for (const verdict of verdicts) await cache.remember(verdict);
    t.same(await known(cache, verdicts), kept);
    for (const [index, { scope, subject = '' }] of verdicts.entries()) {
      const last = await cache.last(scope, subject as Verdict['subject'] & string);
      t.equal(last !== undefined, kept[index]);
    }
  }
});
