import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { startAt, writeConfiguration } from '../../support/app-kit.ts';
import { runInProcess } from '../../support/run-assay.ts';

const words = ['--reason', 'INC-1', '--owner', 'sre@acme.example'];

/** A configuration whose policy was in force with revision 7. */
async function makeKit(t: Test) {
  const file = writeConfiguration(t, { upstreams: { reg: 'http://127.0.0.1:1' } });
  const policy = join(dirname(file), 'policy.yaml');
  const written = JSON.parse(readFileSync(policy, 'utf8')) as object;
  const revise = (revision?: number): void =>
    writeFileSync(
      policy,
      JSON.stringify({ ...written, ...(revision !== undefined && { revision }) }),
    );
  revise(7);
  await (await startAt(t, file)).app.close();
  const setBack = (...given: readonly string[]) =>
    runInProcess(['policy', 'set-back', ...given, '--config', file]);
  return { file, revise, setBack };
}

t.test('an older revision starts after it was permitted, and not before', async (t) => {
  const { file, revise, setBack } = await makeKit(t);
  revise(6);
  await t.rejects(startAt(t, file), { code: 'POLICY_UNUSABLE' });
  const run = await setBack('6', ...words);
  t.equal(run.code, 0, run.stderr);
  t.equal(run.stdout, 'permitted: revision 6 and newer, on every replica within 5 s\n');
  const kit = await startAt(t, file);
  await kit.app.close();
  revise(5);
  await t.rejects(startAt(t, file), { code: 'POLICY_UNUSABLE' });
});

t.test('so does a policy without one', async (t) => {
  const { file, revise, setBack } = await makeKit(t);
  revise();
  await t.rejects(startAt(t, file), { message: /set-back none/ });
  const run = await setBack('none', ...words, '--json');
  t.same(JSON.parse(run.stdout), { revision: 'none', isNew: true });
  await t.resolves(startAt(t, file));
});

t.test('what is permitted already is said so', async (t) => {
  const { setBack } = await makeKit(t);
  const run = await setBack('7', ...words);
  t.equal(run.code, 0);
  t.equal(run.stdout, 'revision 7 is permitted already\n');
});

t.test('what it does not take is refused', async (t) => {
  const { setBack } = await makeKit(t);
  for (const [given, message] of [
    [['6', '--owner', 'sre'], /--reason is missing/],
    [['6', '--reason', 'x'], /--owner is missing/],
    [words, /REVISION is missing/],
    [['six', ...words], /REVISION is a whole number, or none/],
    [['6', '--reason', 'two\nlines', '--owner', 'sre'], /--reason takes one line/],
    [['6', '--reason', 'x', '--owner', 'x'.repeat(501)], /--owner takes one line/],
  ] as const) {
    const { code, stderr } = await setBack(...given);
    t.equal(code, 64);
    t.match(stderr, message);
  }
});

t.test('policy check says the revision', async (t) => {
  const { file } = await makeKit(t);
  const run = await runInProcess(['policy', 'check', '--config', file]);
  t.match(run.stdout, /loads, revision 7, 1 rule, digest/);
  const json = await runInProcess(['policy', 'check', '--config', file, '--json']);
  t.match(JSON.parse(json.stdout), { revision: 7 });
});
