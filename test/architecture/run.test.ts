import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';

const root = join(import.meta.dirname, '..', '..');
const passing = `t.test('one is one', async (t) => { t.equal(1, 1); });`;

t.test('tests run on the Node that the project brings', async (t) => {
  const manifest = await readFile(join(root, 'package.json'), 'utf8');
  const { dependencies } = JSON.parse(manifest) as { dependencies: { node: string } };
  t.equal(process.versions.node, dependencies.node);
});

const skipping = `t.test('skips', { skip: 'no podman' }, async (t) => { t.ok(true); });`;

t.test('the runner counts assertions, and names what was skipped and why', async (t) => {
  const { code, output, lastLine } = await runTests(t, {
    good: passing,
    skips: passing + skipping,
  });
  t.equal(lastLine, '2 passed, 0 failed');
  t.equal(code, 0);
  t.match(output, 'skips: no podman');
});

t.test('a skipped test fails where every tool must be there', async (t) => {
  const files = { skips: passing + skipping };
  const { code, output, lastLine } = await runTests(t, files, { ASSAY_REQUIRE_TOOLS: '1' });
  t.equal(lastLine, '1 passed, 1 failed');
  t.equal(code, 1);
  t.match(output, /not ok .*skips: no podman/);
});

t.test('the runner fails without a test', async (t) => {
  const { code, lastLine } = await runTests(t, {});
  t.match(lastLine, /^0 passed, [1-9]\d* failed$/);
  t.equal(code, 1);
});

const failures: readonly (readonly [name: string, code: string, says: RegExp])[] = [
  ['assertion', `t.test('x', async (t) => { t.equal(1, 2); });`, /x > should be equal/],
  ['throws', `t.test('x', async () => { throw new Error('boom'); });`, /x > boom/],
  ['empty', `t.test('x', async (t) => { t.comment('y'); });`, /a test without an assertion/],
  [
    'nested',
    `t.test('x', async (t) => { await t.test('y', async () => {}); });`,
    /x > y\n +a test without an assertion/,
  ],
  ['none', '', /none.test.ts\n +a file without a test/],
  ['todo', `t.test('x', { todo: 'later' }, async () => {});`, /todo: a test that is not written/],
  ['ends', `t.pass(); t.teardown(() => { process.exitCode = 7; });`, /exitCode: 7/],
  ['plan', `t.test('x', (t) => { t.plan(2); t.pass(); t.end(); });`, /x > test unfinished|plan/],
  ['missing', `import './nowhere.ts';`, /Cannot find module .*nowhere.ts/],
];

t.test('the runner fails for everything that is no passed test', async (t) => {
  const files = Object.fromEntries(failures.map(([name, code]) => [name, code]));
  const { code, output, lastLine } = await runTests(t, files);
  t.equal(code, 1);
  for (const [name, , says] of failures) {
    t.match(output, new RegExp(`not ok +\\S*${name}.test.ts \\(1 failed\\)`), `${name} fails`);
    t.match(output, says, `${name} says why`);
  }
  t.equal(lastLine, `2 passed, ${failures.length} failed`);
});

t.test('the runner fails when a test bails out', async (t) => {
  const stops = `${passing} t.test('x', async (t) => { t.bailout('enough'); });`;
  const { code, output, lastLine } = await runTests(t, { stops });
  t.equal(code, 1);
  t.match(output, 'bailed out: enough');
  t.notMatch(lastLine, /, 0 failed$/);
});

async function runTests(
  t: Test,
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | null; readonly output: string; readonly lastLine: string }> {
  const directory = t.testdir(
    Object.fromEntries(
      Object.entries(files).map(([name, code]) => [
        `${name}.test.ts`,
        `import t from 'tap';\n${code}\n`,
      ]),
    ),
  );
  const child = spawn(process.execPath, [join(root, 'test/run.mjs'), relative(root, directory)], {
    // None of what tap tells its own children.
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [output, errors, exitCode] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    ended,
  ]);
  return {
    code: exitCode,
    output: output + errors,
    lastLine: output.trimEnd().split('\n').at(-1) ?? '',
  };
}
