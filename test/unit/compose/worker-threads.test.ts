import { readdirSync } from 'node:fs';
import { getPriority } from 'node:os';
import t from 'tap';
import { openWorkerThreads } from '../../../src/compose/worker-threads.ts';
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

const limits = {
  maxThreads: 1,
  maxQueue: 8,
  maxBytes: 2 ** 26,
  deadlineMs: 20_000,
  maxHeapMb: 256,
  idleMs: 1000,
};
const components = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ name: `component ${index}`, licenses: [] }));
const sbom = (count: number) =>
  signedStatement(types.cyclonedx, {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    components: components(count),
  });

const question = (statement: ReturnType<typeof sbom>, expression?: string) => {
  const where = { name: 'where', expression: expression ?? '', loops: 2, patterns: [] } as const;
  const present = { name: 'sbom.present', format: 'any' } as const;
  const requirement = requirementOf(
    [types.cyclonedx],
    [expression === undefined ? present : where],
  );
  const rule = ruleWith(requirement);
  return { rule, identity: 'ci', statement, scope, subject, now };
};

const nicenesses = (): readonly number[] =>
  readdirSync('/proc/self/task').map((thread) => getPriority(Number(thread)));

/** Every component against every other, four times over: minutes. */
const endless =
  'predicate.components.all(x, predicate.components.all(y, x.name != "" || y.name != "" || x.name == y.name))';

t.test('a large statement is judged in another thread', async (t) => {
  const threads = openWorkerThreads(limits);
  t.teardown(() => threads.close());
  const judge = makeStatementJudge(threads.judgeApart);
  const statement = sbom(10_000);
  t.ok(statement.payload.byteLength > 256 * 1024);
  const found = await judge(question(statement), new AbortController().signal);
  t.equal(found.meets.length, 1);
  t.match(found.conditions.at(-1), { outcome: 'met', because: /lists 10000 components/ });
  t.ok(statement.payload.byteLength > 0, 'the bytes are still there for other identities');
});

t.test(
  'its thread, and no other, lets pulls go first',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const before = getPriority(process.pid);
    const threads = openWorkerThreads(limits);
    t.teardown(() => threads.close());
    const judge = makeStatementJudge(threads.judgeApart);
    await judge(question(sbom(10_000)), new AbortController().signal);
    const own = getPriority(process.pid);
    t.equal(own, before, 'this thread has the priority that it had');
    t.same(
      nicenesses().filter((each) => each !== own),
      [Math.min(19, own + 5)],
    );
  },
);

t.test('bytes that are taken from here still count', async (t) => {
  const threads = openWorkerThreads({ ...limits, maxBytes: 1_500_000 });
  t.teardown(() => threads.close());
  const { signal } = new AbortController();
  const task = { kind: 'bundle', maxBytes: 2 ** 20, mayTake: false } as const;
  const bytes = new Uint8Array(1_000_000);
  const first = threads.readApart({ ...task, bytes }, signal);
  // As a thread does that takes them; at this moment none has begun.
  structuredClone(bytes, { transfer: [bytes.buffer] });
  const second = threads.readApart({ ...task, bytes: new Uint8Array(1_000_000) }, signal);
  await t.rejects(second, { message: 'too much waits to be worked on' });
  t.match(await first, { malformed: { code: 'BUNDLE_MALFORMED' } });
});

t.test('what takes too long is ended, and the next one is judged', async (t) => {
  const threads = openWorkerThreads({ ...limits, deadlineMs: 4_000 });
  t.teardown(() => threads.close());
  const judge = makeStatementJudge(threads.judgeApart);
  const { signal } = new AbortController();
  const slow = await judge(question(sbom(30_000), endless), signal);
  t.same(slow.meets, []);
  t.match(slow.conditions, [{ outcome: 'inconclusive', because: /took longer than 4000 ms/ }]);
  const next = await judge(question(sbom(10_000)), signal);
  t.equal(next.meets.length, 1);
});

t.test('what needs too much memory ends the thread alone', async (t) => {
  const threads = openWorkerThreads({ ...limits, maxHeapMb: 16 });
  t.teardown(() => threads.close());
  // A server has other work: a thread that ends, and a deadline, keep no process alive.
  const otherWork = setInterval(() => {}, 1000);
  t.teardown(() => clearInterval(otherWork));
  const judge = makeStatementJudge(threads.judgeApart);
  const found = await judge(question(sbom(150_000)), new AbortController().signal);
  t.same(found.meets, []);
  t.match(found.conditions, [{ outcome: 'inconclusive', because: /could not be judged/ }]);
});

t.test('threads that die before they work refuse at once, and again', async (t) => {
  const threads = openWorkerThreads({ ...limits, maxHeapMb: 4, deadlineMs: 100_000 });
  t.teardown(() => threads.close());
  const judge = makeStatementJudge(threads.judgeApart);
  for (const attempt of [1, 2]) {
    const found = await judge(question(sbom(10_000)), new AbortController().signal);
    t.same(found.meets, [], `attempt ${attempt}`);
    t.match(found.conditions, [{ outcome: 'inconclusive', because: /could not be judged/ }]);
  }
});

t.test('a queue that is full refuses at once', async (t) => {
  const threads = openWorkerThreads({ ...limits, maxQueue: 1 });
  t.teardown(() => threads.close());
  const judge = makeStatementJudge(threads.judgeApart);
  const { signal } = new AbortController();
  const asked = Array.from({ length: 6 }, () => judge(question(sbom(10_000)), signal));
  const outcomes = (await Promise.all(asked)).map((found) => found.conditions.at(-1)?.outcome);
  t.ok(outcomes.includes('met'), 'those that had room');
  t.ok(outcomes.includes('inconclusive'), 'those that had none');
});

t.test('what is too large for those that wait is refused at once', async (t) => {
  const threads = openWorkerThreads({ ...limits, maxBytes: 300_000 });
  t.teardown(() => threads.close());
  const judge = makeStatementJudge(threads.judgeApart);
  const found = await judge(question(sbom(10_000)), new AbortController().signal);
  t.match(found.conditions, [{ outcome: 'inconclusive', because: /too much waits/ }]);
});

t.test('a caller that gives up gets its own reason', async (t) => {
  const threads = openWorkerThreads(limits);
  t.teardown(() => threads.close());
  const judge = makeStatementJudge(threads.judgeApart);
  const caller = new AbortController();
  const asked = judge(question(sbom(30_000), endless), caller.signal);
  caller.abort(new Error('nobody waits'));
  await t.rejects(asked, { message: 'nobody waits' });
});

t.test('closed threads judge nothing', async (t) => {
  const threads = openWorkerThreads(limits);
  await threads.close();
  const judge = makeStatementJudge(threads.judgeApart);
  const found = await judge(question(sbom(10_000)), new AbortController().signal);
  t.match(found.conditions, [{ outcome: 'inconclusive', because: /are closed/ }]);
});
