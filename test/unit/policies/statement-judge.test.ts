import t from 'tap';
import type { Condition } from '../../../src/policies/conditions/condition.ts';
import { makeStatementJudge } from '../../../src/policies/statement-judge.ts';
import {
  now,
  requirementOf,
  ruleWith,
  scope,
  signedStatement,
  subject,
  types,
} from '../../support/attestation-kit.ts';

const where = (expression: string, loops = 0): Condition => ({
  name: 'where',
  expression,
  loops,
  patterns: [],
});
const plain = requirementOf([types.slsa], [where('predicate.a == "b"')]);
const once = requirementOf([types.slsa], [where('predicate.list.all(x, x == 1)', 1)]);
const twice = requirementOf(
  [types.slsa],
  [where('predicate.list.all(x, predicate.list.all(y, x == y))', 2)],
);

function judgeWith(apart: 'fails' | 'works' = 'works') {
  const bytesApart: number[] = [];
  const judge = makeStatementJudge(async ({ payload, requirements, predicateType }) => {
    bytesApart.push(payload.byteLength);
    if (apart === 'fails') throw new Error('no thread');
    return { predicateType, meets: requirements.map(({ digest }) => digest), conditions: [] };
  });
  const ask = (
    requirement: typeof plain,
    predicate: unknown,
    signal = new AbortController().signal,
  ) =>
    judge(
      {
        rule: ruleWith(requirement),
        identity: 'ci',
        statement: signedStatement(types.slsa, predicate),
        scope,
        subject,
        now,
      },
      signal,
    );
  return { judge, ask, bytesApart };
}

const filler = (bytes: number) => ({ a: 'b', list: [1], filler: 'x'.repeat(bytes) });

t.test('a small statement is judged here, a large one in another thread', async (t) => {
  const { ask, bytesApart } = judgeWith();
  t.same((await ask(plain, filler(200_000))).meets, [plain.digest]);
  t.equal(bytesApart.length, 0);
  t.same((await ask(plain, filler(300_000))).meets, [plain.digest]);
  t.equal(bytesApart.length, 1);
});

t.test('with a loop only a very small one is judged here, with two none', async (t) => {
  const { ask, bytesApart } = judgeWith();
  await ask(once, filler(3000));
  t.equal(bytesApart.length, 0);
  await ask(once, filler(5000));
  t.equal(bytesApart.length, 1);
  await ask(twice, filler(1));
  t.equal(bytesApart.length, 2);
});

t.test('a pattern in an expression makes less a large statement', async (t) => {
  const { ask, bytesApart } = judgeWith();
  const expression = 'predicate.a.matches("^b$")';
  const search: Condition = { name: 'where', expression, loops: 0, patterns: ['^b$'] };
  const searching = requirementOf([types.slsa], [search]);
  t.same((await ask(searching, filler(20_000))).meets, [searching.digest]);
  t.equal(bytesApart.length, 0);
  await ask(searching, filler(40_000));
  t.equal(bytesApart.length, 1);
});

t.test('what could not be judged is neither met nor not met', async (t) => {
  const { ask } = judgeWith('fails');
  const found = await ask(twice, filler(1));
  t.same(found.meets, []);
  t.match(found.conditions, [
    {
      requirement: twice.digest,
      outcome: 'inconclusive',
      because: 'it could not be judged: no thread',
    },
  ]);
});

t.test('a large statement of another type is nowhere read', async (t) => {
  const { judge, bytesApart } = judgeWith();
  const statement = signedStatement(types.spdx, filler(300_000));
  const question = { rule: ruleWith(plain), identity: 'ci', statement, scope, subject, now };
  const found = await judge(question, new AbortController().signal);
  t.same(found.meets, []);
  t.match(found.conditions, [{ condition: 'predicateTypes', outcome: 'not-met' }]);
  t.equal(bytesApart.length, 0);
});

t.test('what asks for the attestation of another is not held against it', async (t) => {
  const { judge } = judgeWith();
  const statement = signedStatement(types.slsa, { a: 'b' });
  const question = { rule: ruleWith(plain), identity: 'somebody', statement, scope, subject, now };
  t.same(await judge(question, new AbortController().signal), {
    predicateType: types.slsa,
    meets: [],
    conditions: [],
  });
});

t.test('a caller that has given up gets its own reason', async (t) => {
  const { ask } = judgeWith();
  const signal = AbortSignal.abort(new Error('nobody waits'));
  await t.rejects(ask(plain, {}, signal), { message: 'nobody waits' });
});
