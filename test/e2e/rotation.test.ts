import { unlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type AppKit, reasonOf, startAt } from '../support/app-kit.ts';
import { makeFakeClock } from '../support/fake-clock.ts';
import { makeRotationKit } from '../support/rotation-kit.ts';
import { makeChain } from '../support/test-ca.ts';

const day = 86_400_000;
const first = makeChain({ authority: 'first' });
const second = makeChain({ authority: 'second' });

const pull = async ({ ask }: AppKit, name: string): Promise<number> => {
  const [repository = '', tag = ''] = name.split(':');
  return (await ask(`reg/${repository}/manifests/${tag}`)).status;
};

/** Repositories of which something was verified since the mark. */
function verifiedSince({ lines }: AppKit, mark: number): readonly unknown[] {
  const verdicts = lines.slice(mark).filter(({ message }) => message === 'verdict');
  return verdicts.map(({ repository }) => repository);
}

t.test(
  'with a new anchor the verdicts that rely upon its store are reached anew, and no others',
  async (t) => {
    const { file, trust } = makeRotationKit(t, { 'one:1': first, 'two:1': first });
    trust('one', first);
    trust('two', first);
    const app = await startAt(t, file);
    t.same([await pull(app, 'one:1'), await pull(app, 'two:1')], [200, 200]);
    trust('one', second);
    await app.app.lookForChanges();
    let mark = app.lines.length;
    t.same([await pull(app, 'one:1'), await pull(app, 'two:1')], [200, 200]);
    t.same(verifiedSince(app, mark), ['reg/one']);
    mark = app.lines.length;
    t.same([await pull(app, 'one:1'), await pull(app, 'two:1')], [200, 200]);
    t.same(verifiedSince(app, mark), [], 'and once only');
  },
);

t.test('the same holds over a restart', async (t) => {
  const { file, trust } = makeRotationKit(t, { 'one:1': first, 'two:1': first });
  trust('one', first);
  trust('two', first);
  const app = await startAt(t, file);
  t.same([await pull(app, 'one:1'), await pull(app, 'two:1')], [200, 200]);
  trust('two', second);
  const next = await app.restarted();
  t.same([await pull(next, 'one:1'), await pull(next, 'two:1')], [200, 200]);
  t.same(verifiedSince(next, 0), ['reg/two']);
});

t.test('with another identity the verdicts of its rule alone are reached anew', async (t) => {
  const { file, trust, writePolicy } = makeRotationKit(t, { 'one:1': first, 'two:1': first });
  trust('one', first);
  trust('two', first);
  const app = await startAt(t, file);
  t.same([await pull(app, 'one:1'), await pull(app, 'two:1')], [200, 200]);
  writePolicy({ two: 'x509.subject: C=US, ST=WA, O=others' });
  await app.app.lookForChanges();
  const mark = app.lines.length;
  t.same([await pull(app, 'one:1'), await pull(app, 'two:1')], [200, 403]);
  t.same(verifiedSince(app, mark), ['reg/two']);
});

t.test('one anchor follows another without a day on which both signers change', async (t) => {
  const { file, trust, distrust } = makeRotationKit(t, { 'one:old': first, 'one:new': second });
  trust('one', first);
  trust('two', first);
  const app = await startAt(t, file);
  t.same([await pull(app, 'one:old'), await pull(app, 'one:new')], [200, 403]);
  trust('one', second);
  await app.app.lookForChanges();
  t.same([await pull(app, 'one:old'), await pull(app, 'one:new')], [200, 200], 'overlapping');
  distrust('one', first);
  await app.app.lookForChanges();
  t.same([await pull(app, 'one:old'), await pull(app, 'one:new')], [403, 200]);
});

t.test('an anchor counts from its first second to its last', async (t) => {
  const ending = makeChain({ authority: 'ending', root: { notAfter: '2030-01-03T00:00:00Z' } });
  const coming = makeChain({ authority: 'coming', root: { notBefore: '2030-01-02T00:00:00Z' } });
  const { file, trust } = makeRotationKit(t, { 'one:old': ending, 'one:new': coming });
  trust('one', ending);
  trust('one', coming);
  trust('two', first);
  const clock = makeFakeClock();
  const app = await startAt(t, file, clock);
  t.same([await pull(app, 'one:old'), await pull(app, 'one:new')], [200, 403]);
  t.equal(reasonOf(await app.ask('reg/one/manifests/new')), 'certificate-expired');
  clock.advanceMs(day);
  t.same([await pull(app, 'one:old'), await pull(app, 'one:new')], [200, 200]);
  clock.advanceMs(day + 1000);
  t.same([await pull(app, 'one:old'), await pull(app, 'one:new')], [403, 200]);
  t.equal(reasonOf(await app.ask('reg/one/manifests/old')), 'certificate-expired');
});

t.test(
  'how long anchors last is in the metrics, in readiness and, ahead of time, in the log',
  async (t) => {
    const ending = makeChain({ authority: 'ending', root: { notAfter: '2030-01-06T00:00:00Z' } });
    const { file, trust, distrust } = makeRotationKit(t, { 'one:1': first });
    trust('one', ending);
    trust('one', first);
    trust('two', first);
    const app = await startAt(t, file, makeFakeClock());
    const series = async () =>
      (await app.metrics())
        .split('\n')
        .filter((line) => line.startsWith('assay_trust_anchor_expiry_timestamp_seconds{'));
    const { fingerprint } = ending.root;
    const seconds = Date.parse('2030-01-06T00:00:00Z') / 1000;
    const line = `assay_trust_anchor_expiry_timestamp_seconds{store="ca:one",subject="CN=ending root,O=ending,ST=WA,C=US",fingerprint="${fingerprint}"} ${seconds}`;
    t.equal((await series()).length, 3);
    t.equal((await series())[0], line);
    const warnings = () =>
      app.lines.filter(({ message }) => message === 'a trust anchor ends soon');
    t.match(warnings(), [{ level: 'warn', store: 'ca:one', fingerprint, daysLeft: 5 }]);
    const ready = async () => {
      const answer = await fetch(`${app.admin}/readyz`);
      const { checks } = (await answer.json()) as { checks: { name: string; says: string }[] };
      return {
        status: answer.status,
        says: checks.find(({ name }) => name === 'trust anchors')?.says,
      };
    };
    t.match(await ready(), { status: 200, says: /^3 of 3 are valid; the first ends in 5 days/ });
    distrust('one', ending);
    await app.app.lookForChanges();
    t.equal((await series()).length, 2);
    t.equal(warnings().length, 1);
    t.match(await ready(), { status: 200, says: /^2 of 2 are valid/ });
  },
);

t.test('a policy file that vanishes leaves the last good one in force', async (t) => {
  const { file, trust } = makeRotationKit(t, { 'one:1': first });
  trust('one', first);
  trust('two', first);
  const app = await startAt(t, file);
  unlinkSync(join(file, '..', 'policy.yaml'));
  await app.app.lookForChanges();
  t.equal(await pull(app, 'one:1'), 200);
  t.match(await (await fetch(`${app.admin}/readyz`)).text(), /a change does not load: /);
});
