// A test runner for Stryker that runs tap's test files inside Stryker's own worker process.
//
// Stryker's tap-runner starts a process for every test file of every mutant, most of whose time
// goes into loading tap and the sources. Here the sources are loaded once; a test file is evaluated
// again for each mutant (its address gets a new query), and gets a tap of its own to report to.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  commonTokens,
  declareFactoryPlugin,
  PluginKind,
  tokens,
} from '@stryker-mutator/api/plugin';
import {
  determineHitLimitReached,
  DryRunStatus,
  TestStatus,
  toMutantRunResult,
} from '@stryker-mutator/api/test-runner';

const namespace = '__stryker__';
/** The name under which is counted what runs before any test counts. */
const loading = 'loading';
/** By the number of the run, where the test files find their tap. */
const taps = new Map();
globalThis[Symbol.for('assay taps')] = taps;
const runOf = /[?&]run=(\d+)$/;
/** How long each test file took in the dry run, for every worker: all work in one sandbox. */
const timesPath = '.tap/times.json';

registerHooks({
  resolve(specifier, context, next) {
    const run = specifier === 'tap' && runOf.exec(context.parentURL ?? '')?.[1];
    if (!run) return next(specifier, context);
    const source = `export default globalThis[Symbol.for('assay taps')].get(${run});`;
    return { url: `data:text/javascript,${source}`, format: 'module', shortCircuit: true };
  },
});

class InProcessRunner {
  #options;
  #Test;
  #runs = 0;
  #warm = new Set();
  #times;
  /** The test file that failed since the last run without a mutant. */
  #suspect;

  constructor(options) {
    this.#options = options.assay;
  }

  capabilities() {
    return { reloadEnvironment: false };
  }

  async init() {
    globalThis[namespace] = {};
    this.#Test = await importTap();
    // A late failure of something that no test waits for is a failure of the test that is running.
    process.on('uncaughtException', (error) => this.failRunning(error));
    process.on('unhandledRejection', (error) => this.failRunning(error));
    for (const file of this.#options.sources) await import(pathToFileURL(resolve(file)).href);
  }

  failRunning(error) {
    taps.get(this.#runs)?.threw(error);
  }

  /** What a test file loads and makes once is there before a mutant is active. */
  async #warmUp(file) {
    if (this.#warm.has(file)) return;
    this.#warm.add(file);
    await this.#runFile(file);
  }

  async dryRun() {
    const stryker = globalThis[namespace];
    const { testFiles } = this.#options;
    stryker.currentTestId = loading;
    for (const file of testFiles) await this.#warmUp(file);
    const tests = [];
    for (const file of testFiles) {
      stryker.currentTestId = file;
      tests.push(await this.#runFile(file));
    }
    stryker.currentTestId = undefined;
    const { mutantCoverage } = stryker;
    delete mutantCoverage?.perTest[loading];
    const times = Object.fromEntries(tests.map(({ id, timeSpentMs }) => [id, timeSpentMs]));
    mkdirSync(dirname(timesPath), { recursive: true });
    writeFileSync(timesPath, JSON.stringify(times));
    return { ...complete(tests), mutantCoverage };
  }

  async mutantRun({ activeMutant, testFilter, mutantActivation, hitLimit, sandboxFileName }) {
    // They would have to be loaded while the mutant is active: see ignoreStatic in run.mjs.
    if (mutantActivation === 'static') throw new TypeError('static mutants are not run');
    await this.#expectHealthy();
    const stryker = globalThis[namespace];
    const tests = [];
    this.#times ??= existsSync(timesPath) ? JSON.parse(readFileSync(timesPath, 'utf8')) : {};
    const files = testFilter ?? this.#options.testFiles;
    for (const file of soonest(files, sandboxFileName, this.#times)) {
      await this.#warmUp(file);
      Object.assign(stryker, { activeMutant: activeMutant.id, hitLimit, hitCount: 0 });
      const test = await this.#runFile(file);
      Object.assign(stryker, { activeMutant: undefined, hitLimit: undefined });
      tests.push(test);
      const limit = determineHitLimitReached(stryker.hitCount, hitLimit);
      if (limit !== undefined || test.status === TestStatus.Failed) this.#suspect = file;
      if (limit !== undefined) return limit;
      if (test.status === TestStatus.Failed) break;
    }
    return toMutantRunResult(complete(tests));
  }

  /** A mutant may leave something behind in a module; then Stryker starts a new process and asks again. */
  async #expectHealthy() {
    if (this.#suspect === undefined) return;
    if ((await this.#runFile(this.#suspect)).status === TestStatus.Failed) process.exit(1);
    this.#suspect = undefined;
  }

  async #runFile(file) {
    const run = (this.#runs += 1);
    const began = performance.now();
    // Below the working folder, which tap would leave otherwise.
    const testdir = resolve('.tap', 'fixtures', `${process.pid}-${run}`);
    const tap = new this.#Test({ name: file, testdir, bail: true, timeout: 0 });
    taps.set(run, tap);
    tap.resume();
    const ended = new Promise((done) => {
      tap.parser.once('complete', done);
      // After an error that was thrown, its parser never completes.
      tap.once('bailout', (because) => done({ ok: false, failures: [{ fullname: because }] }));
    });
    // A file that waits for its tests waits for ever once tap stopped at the first that failed.
    const evaluated = import(`${pathToFileURL(resolve(file)).href}?run=${run}`).catch(
      (error) => void tap.threw(error),
    );
    await Promise.race([evaluated, ended]);
    tap.end();
    const { ok, failures } = await ended;
    taps.delete(run);
    const timeSpentMs = performance.now() - began;
    const about = { id: file, name: file, fileName: resolve(file), timeSpentMs };
    if (ok) return { ...about, status: TestStatus.Success };
    const failureMessage = failures?.[0]?.fullname ?? 'it failed';
    return { ...about, status: TestStatus.Failed, failureMessage };
  }
}

/** tap takes a parent process for its own runner: it would write to it, and not wait for it. */
async function importTap() {
  const send = process.send?.bind(process);
  // Stryker's messages are text, tap's are objects.
  process.send = (message, ...rest) => typeof message !== 'string' || send(message, ...rest);
  const { t, Test } = await import('tap');
  // Its own root, which nothing reports to, would end this process.
  t.setTimeout(0);
  process.channel?.ref();
  return Test;
}

const complete = (tests) => ({ status: DryRunStatus.Complete, tests });

/** The test that mirrors a source knows most of it; after it the fastest first. */
function soonest(files, sandboxFileName, times) {
  const mirror = sandboxFileName.replace(/^.*\/src\//, 'test/unit/').replace(/\.ts$/, '.test.ts');
  const costOf = (file) => (file === mirror ? -1 : (times[file] ?? 0));
  return files.toSorted((a, b) => costOf(a) - costOf(b));
}

function makeRunner(options) {
  return new InProcessRunner(options);
}
makeRunner.inject = tokens(commonTokens.options);

export const strykerPlugins = [declareFactoryPlugin(PluginKind.TestRunner, 'assay', makeRunner)];
