// Runs the static checks and every test, and ends with the one line `N passed, N failed`.
//
//   node test/run.mjs            everything (npm test)
//   node test/run.mjs --static   the static checks alone (npm run check)
//   node test/run.mjs PATH…      these test files or folders alone
//
// It counts what tap reports and fails where tap does not: a test without an assertion, a file
// without a test, a `todo`, and, where ASSAY_REQUIRE_TOOLS=1, a test that was skipped.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Parser } from 'tap-parser';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = join(root, 'node_modules', '.bin');
const env = { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
const skipIsFailure = process.env['ASSAY_REQUIRE_TOOLS'] === '1';
const given = process.argv.slice(2);
const paths = given.filter((argument) => !argument.startsWith('--'));
const staticOnly = given.includes('--static');

/** npm scripts; the import rules run as a test too, so a full run need not repeat them. */
const staticChecks = ['types', 'lint', 'format', 'unused', ...(staticOnly ? ['imports'] : [])];

const skipped = [];
const complaints = [];

await main();

async function main() {
  const checks = { passed: 0, failed: 0 };
  if (paths.length === 0) for (const name of staticChecks) await runStaticCheck(name, checks);
  const tests = staticOnly ? { passed: 0, failed: 0 } : await runTests();
  const passed = checks.passed + tests.passed;
  const failed = checks.failed + tests.failed;

  if (skipped.length > 0) print('', 'skipped:', ...skipped.map((text) => `  ${text}`));
  if (complaints.length > 0) print('', 'failed:', ...complaints.map((text) => `  ${text}`));
  print('', `${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
}

async function runStaticCheck(name, checks) {
  const check = spawn('npm', ['run', '--silent', name], { cwd: root, env });
  const [code, ...output] = await Promise.all([
    ended(check),
    text(check.stdout),
    text(check.stderr),
  ]);
  if (code === 0) {
    checks.passed += 1;
    print(`ok      ${name}`);
  } else {
    print(...output);
    fail(checks, name, `npm run ${name} ended with ${code}`);
  }
}

async function runTests() {
  const parameters = ['run', '--disable-coverage', '--reporter=tap', ...paths.map(toPattern)];
  const tap = spawn('tap', parameters, { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const parser = new Parser();
  const run = follow(parser, 0);
  tap.stdout.pipe(parser);
  const code = await ended(tap);
  // What tap saw and we did not: a report that ends early, a configuration that it refuses.
  if (code !== 0 && run.failed === 0) fail(run, 'tap', `ended with ${code}`);
  if (run.passed === 0) fail(run, 'tap', 'no test passed');
  return run;
}

/** A folder stands for the tests in it; tap would run everything else there too. */
function toPattern(path) {
  return path.endsWith('.ts') ? path : join(path, '**', '*.test.ts');
}

/** Follows one suite: the run itself (depth 0), a file (1), a test (2), its subtests. */
function follow(parser, depth) {
  const suite = { passed: 0, failed: 0, skipped: 0, plan: undefined };
  let child = suite;
  parser.on('child', (childParser) => {
    child = follow(childParser, depth + 1);
  });
  parser.on('assert', (result) => {
    if (!result.closingTestPoint) return count(suite, result);
    endSuite(result, child, depth + 1);
    suite.passed += child.passed;
    suite.failed += child.failed;
    suite.skipped += child.skipped;
  });
  parser.on('complete', ({ plan, bailout }) => {
    suite.plan = plan;
    if (bailout !== false) fail(suite, parser.fullname, `bailed out: ${String(bailout)}`);
  });
  return suite;
}

function count(suite, { ok, fullname, skip, todo, diag }) {
  if (todo !== false) fail(suite, fullname, 'todo: a test that is not written');
  else if (skip !== false) noteSkip(suite, fullname, skip);
  else if (ok) suite.passed += 1;
  else fail(suite, fullname, explain(diag));
}

function endSuite({ ok, name, fullname, skip, time, diag }, suite, depth) {
  const reason = suite.plan?.skipReason || skip;
  if (suite.plan?.end === 0 && (!reason || reason === 'no tests found')) {
    fail(suite, fullname, depth === 1 ? 'a file without a test' : 'a test without an assertion');
  } else if (suite.plan?.end === 0) {
    noteSkip(suite, fullname, reason);
  } else if (!ok && suite.failed === 0) {
    // A timeout, a crash after the last assertion, a plan that was not kept.
    fail(suite, fullname, explain(diag));
  }
  if (depth === 1) printFile(name, suite, time);
}

function noteSkip(suite, fullname, reason) {
  const text = typeof reason === 'string' ? `${fullname}: ${reason}` : fullname;
  if (skipIsFailure) return fail(suite, text, 'skipped, though every tool must be there');
  suite.skipped += 1;
  skipped.push(text);
}

function fail(suite, name, why) {
  suite.failed += 1;
  complaints.push(name);
  print(`not ok  ${name}`, ...why.split('\n').map((line) => `        ${line}`));
}

function printFile(name, suite, time = 0) {
  if (suite.failed > 0) return print(`not ok  ${name} (${suite.failed} failed)`);
  const also = suite.skipped > 0 ? `, ${suite.skipped} skipped` : '';
  print(`ok      ${name} (${suite.passed} passed${also}, ${Math.round(time)} ms)`);
}

/** What tap knows of a failure, with the place and the difference first. */
function explain(diagnostic) {
  const { at, diff, stack, source, ...rest } = diagnostic ?? {};
  const place = at?.fileName === undefined ? [] : [`at ${at.fileName}:${at.lineNumber}`];
  const others = Object.entries(rest)
    .filter(([key]) => !['args', 'command', 'cwd', 'stdio', 'externalID'].includes(key))
    .map(([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return [...place, diff, ...others, stack, source].filter(Boolean).join('\n').trimEnd();
}

/** Resolves with the exit code, or with what ended the process in place of one. */
function ended(child) {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code ?? signal));
  });
}

function print(...lines) {
  for (const line of lines) console.log(line);
}
