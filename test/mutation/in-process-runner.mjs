// A test runner for Stryker that runs tap's test files inside Stryker's own worker process.
//
// Stryker's tap-runner starts a process for every test file of every mutant, most of whose time
// goes into loading tap and the sources. Here the sources are loaded once; a test file is evaluated
// again for each mutant (its address gets a new query), and gets a tap of its own to report to.
// A mutant that only works while a module is loaded gets a new process from Stryker itself.
import { registerHooks } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
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
/** By the number of the run, where the test files find their tap. */
const taps = new Map();
globalThis[Symbol.for('assay taps')] = taps;
const runOf = /[?&]run=(\d+)$/;

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
  /** Whether a test failed since the last run without a mutant that passed. */
  #isSuspect = false;
  #lastFiles = [];
  #isLoaded = false;

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
  }

  failRunning(error) {
    taps.get(this.#runs)?.threw(error);
  }

  async dryRun() {
    const stryker = globalThis[namespace];
    stryker.activeMutant = undefined;
    // What runs while a source is loaded is static; what a test file does is that test's.
    stryker.currentTestId = undefined;
    await this.#load();
    const tests = [];
    for (const file of this.#options.testFiles) {
      stryker.currentTestId = file;
      tests.push(await this.#runFile(file));
    }
    stryker.currentTestId = undefined;
    const { mutantCoverage } = stryker;
    return { status: DryRunStatus.Complete, tests, mutantCoverage };
  }

  async mutantRun({ activeMutant, testFilter, mutantActivation, hitLimit, sandboxFileName }) {
    const stryker = globalThis[namespace];
    await this.#expectHealthy();
    const isStatic = mutantActivation === 'static';
    stryker.activeMutant = isStatic ? activeMutant.id : undefined;
    stryker.hitCount = hitLimit === undefined ? undefined : 0;
    stryker.hitLimit = hitLimit;
    let files = testFilter ?? this.#options.testFiles;
    try {
      await this.#load();
    } catch (error) {
      if (!isStatic) throw error;
      files = [];
      return toMutantRunResult(complete([failedTest('load', String(error))]));
    }
    stryker.activeMutant = activeMutant.id;
    const tests = [];
    for (const file of mirrorFirst(files, sandboxFileName)) {
      const test = await this.#runFile(file);
      tests.push(test);
      const limit = determineHitLimitReached(stryker.hitCount, stryker.hitLimit);
      if (limit !== undefined) {
        this.#suspect(file);
        return limit;
      }
      if (test.status === TestStatus.Failed) {
        this.#suspect(file);
        break;
      }
    }
    stryker.activeMutant = undefined;
    return toMutantRunResult(complete(tests));
  }

  #suspect(file) {
    globalThis[namespace].activeMutant = undefined;
    this.#isSuspect = true;
    this.#lastFiles = [file];
  }

  /** A mutant may leave something behind in a module; then Stryker starts a new process and asks again. */
  async #expectHealthy() {
    if (!this.#isSuspect) return;
    const stryker = globalThis[namespace];
    stryker.activeMutant = undefined;
    stryker.hitLimit = undefined;
    for (const file of this.#lastFiles) {
      if ((await this.#runFile(file)).status === TestStatus.Failed) process.exit(1);
    }
    this.#isSuspect = false;
  }

  async #load() {
    if (this.#isLoaded) return;
    this.#isLoaded = true;
    for (const file of this.#options.sources) await import(pathToFileURL(resolve(file)).href);
  }

  async #runFile(file) {
    const run = (this.#runs += 1);
    const began = performance.now();
    const testdir = join(tmpdir(), `assay-mutation-${process.pid}`, `${run}`);
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

const failedTest = (id, failureMessage) => ({
  id,
  name: id,
  timeSpentMs: 0,
  status: TestStatus.Failed,
  failureMessage,
});

/** The test that mirrors a source knows most of it. */
function mirrorFirst(files, sandboxFileName) {
  const mirror = sandboxFileName.replace(/^.*\/src\//, 'test/unit/').replace(/\.ts$/, '.test.ts');
  return [...files.filter((each) => each === mirror), ...files.filter((each) => each !== mirror)];
}

function makeRunner(options) {
  return new InProcessRunner(options);
}
makeRunner.inject = tokens(commonTokens.options);

export const strykerPlugins = [declareFactoryPlugin(PluginKind.TestRunner, 'assay', makeRunner)];
