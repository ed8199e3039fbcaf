// Mutation tests: changes the sources one small thing at a time and asks whether a test notices.
//
//   npm run mutation             every group of files, most important first (hours)
//   npm run mutation GROUP…      these groups alone
//   npm run mutation -- GROUP --only src/crypto/cms.ts,src/crypto/ber.ts
//                                these files alone, by the tests of its group
//
// What it found goes into scores.json and the table in README.md; the changes that no test noticed
// go to .tap/mutation/GROUP.json, and with what Stryker prints of them to the output.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { filesOf, groupNames } from './groups.mjs';
import { writeTable } from './table.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const output = '.tap/mutation';
const stryker = join(here, 'node_modules/@stryker-mutator/core/bin/stryker.js');

const given = process.argv.slice(2);
const at = given.indexOf('--only');
const only = at < 0 ? undefined : given.splice(at, 2)[1];
const unknown = given.filter((name) => !groupNames.includes(name));
if (unknown.length > 0) throw new TypeError(`${unknown} is none of ${groupNames.join(', ')}`);

// Whoever works on this machine goes first.
setPriority(15);
install();
for (const name of given.length === 0 ? groupNames : given) runGroup(name);
writeTable(here, root);

function install() {
  if (existsSync(stryker)) return;
  run('npm', ['ci', '--no-audit', '--no-fund'], here);
}

function runGroup(name) {
  const files = filesOf(name, root);
  const sources = only === undefined ? files.sources : only.split(',');
  const report = join(output, `${name}.json`);
  const configuration = join(root, output, `${name}.config.json`);
  mkdirSync(join(root, output), { recursive: true });
  writeFileSync(configuration, JSON.stringify(configure(name, { ...files, sources }, report)));
  run(process.execPath, [stryker, 'run', configuration], root);
  record(sources, JSON.parse(readFileSync(join(root, report), 'utf8')));
  writeTable(here, root);
}

function configure(name, { sources, testFiles }, report) {
  return {
    testRunner: 'assay',
    plugins: ['./test/mutation/in-process-runner.mjs'],
    warnings: { unknownOptions: false, slow: false },
    mutate: sources,
    assay: { sources, testFiles },
    // TypeScript 7 has no programming interface; Node strips the types.
    tsconfigFile: 'none.json',
    ignorePatterns: [
      '*',
      '!src/**',
      '!test/unit/**',
      '!test/support/**',
      '!test/vectors/**',
      '!test/contract/**',
      '!package.json',
    ],
    reporters: ['json', 'clear-text', 'progress-append-only'],
    clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
    jsonReporter: { fileName: report },
    concurrency: 2,
    // Memory grows by each test file that is evaluated again.
    maxTestRunnerReuse: 150,
    // Beside the mutant's run: one of each test file without it, where a worker is new.
    timeoutFactor: 3,
    timeoutMS: 6000,
    // What is changed only while a module is loaded needs a new process and every test, each time.
    ignoreStatic: true,
    incremental: true,
    incrementalFile: join(output, `${name}.incremental.json`),
    tempDirName: join(output, 'sandboxes'),
    allowEmpty: true,
  };
}

/** Keeps what was counted of each file, for the table; of others a run that was ended left a part. */
function record(sources, { files }) {
  const path = join(here, 'scores.json');
  const scores = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
  for (const [file, { mutants }] of Object.entries(files)) {
    if (!sources.includes(file)) continue;
    const counts = {};
    for (const { status } of mutants) counts[status] = (counts[status] ?? 0) + 1;
    scores[file] = counts;
  }
  const sorted = Object.fromEntries(
    Object.entries(scores).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
  writeFileSync(path, `${JSON.stringify(sorted, null, 2)}\n`);
}

function run(command, words, cwd) {
  const { status } = spawnSync(command, words, { cwd, stdio: 'inherit' });
  if (status !== 0) throw new Error(`${command} ${words.join(' ')} ended with ${status}`);
}
