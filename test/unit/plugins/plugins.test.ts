import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate as othersTurn } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { Clock } from '../../../src/kernel/clock.ts';
import { makePlugins, noPlugins, type PluginRun } from '../../../src/plugins/plugins.ts';
import type { AllowedPlugin } from '../../../src/plugins/run-command.ts';
import type {
  PluginQuestion,
  VerificationPlugin,
} from '../../../src/plugins/verification-plugin.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { answerOf, metadataOf, pluginName, writePlugin } from '../../support/plugin-kit.ts';

const identity = 'SIGNATURE_VERIFIER.TRUSTED_IDENTITY';
const revocation = 'SIGNATURE_VERIFIER.REVOCATION_CHECK';

const question: PluginQuestion = {
  signature: {
    criticalAttributes: {
      contentType: 'application/vnd.cncf.notary.payload.v1+json',
      signingScheme: 'notary.x509',
      verificationPlugin: pluginName,
      extendedAttributes: { 'com.example.a': 'b' },
    },
    unprocessedAttributes: ['com.example.a'],
    certificateChain: ['AAAA'],
  },
  trustPolicy: { trustedIdentities: ['*'], signatureVerification: [identity, revocation] },
};

function open(plugin: AllowedPlugin, clock: Clock = makeFakeClock()) {
  const runs: PluginRun[] = [];
  const plugins = makePlugins([plugin], { clock, onRun: (run) => void runs.push(run) });
  return { runs, plugin: plugins.get(pluginName) as VerificationPlugin, plugins };
}

const never = (): AbortSignal => new AbortController().signal;

function verify(t: Test, script: string, replaced: Partial<AllowedPlugin> = {}) {
  return open(writePlugin(t, { verify: script }, replaced)).plugin.verify(question, never());
}

t.test('a plugin is asked by the contract, and its answers are read', async (t) => {
  const written = writePlugin(t, {
    verify: `echo '${answerOf({ processedAttributes: ['com.example.a'] })}'`,
  });
  const { plugin, runs } = open(written);
  t.same(await plugin.describe(never()), {
    name: pluginName,
    version: '1.2.0',
    capabilities: [identity, revocation],
  });
  const { results, processedAttributes } = await plugin.verify(question, never());
  t.same(
    [...results],
    [
      [identity, { success: true }],
      [revocation, { success: true }],
    ],
  );
  t.same([...processedAttributes], ['com.example.a']);
  t.same(written.questions(), [{ contractVersion: '1.0', ...question }]);
  t.match(runs, [
    { plugin: pluginName, command: 'get-plugin-metadata', outcome: 'answered' },
    { plugin: pluginName, command: 'verify-signature', outcome: 'answered' },
  ]);
});

t.test('what it is is asked once', async (t) => {
  const { plugin, runs } = open(writePlugin(t));
  await plugin.describe(never());
  await plugin.describe(never());
  t.equal(runs.length, 1);
});

t.test('a no comes with its words', async (t) => {
  const results = {
    [identity]: { success: false, reason: 'not one of ours' },
    [revocation]: { success: true },
  };
  const { results: read } = await verify(t, `echo '${answerOf({ verificationResults: results })}'`);
  t.same(read.get(identity), { success: false, untrustedReason: 'not one of ours' });
});

t.test('none but the allowed ones is there', async (t) => {
  t.equal(open(writePlugin(t)).plugins.get('com.example.other'), undefined);
  t.equal(noPlugins.get(pluginName), undefined);
});

t.test('it gets the name of its command alone, no environment of ours and no folder', async (t) => {
  process.env['ASSAY_TEST_SECRET'] = 'hunter2';
  t.teardown(() => delete process.env['ASSAY_TEST_SECRET']);
  const file = join(t.testdir({}), 'seen');
  const written = writePlugin(t, {
    verify: `{ pwd; echo "$#"; } > ${file}; env -0 > ${file}.env; echo '${answerOf()}'`,
  });
  await open({ ...written }).plugin.verify(question, never());
  t.strictSame(readFileSync(file, 'utf8'), '/\n1\n');
  const environment = readFileSync(`${file}.env`, 'utf8');
  t.notMatch(environment, 'hunter2');
  const names = environment.split('\0').map((variable) => variable.split('=')[0] ?? '');
  // The shell adds some of its own, and tap what it follows processes by.
  const added = /^(?:PWD|OLDPWD|SHLVL|_|NODE_OPTIONS|_TAPJS_\w+|)$/;
  t.strictSame(names.filter((name) => !added.test(name)).toSorted(), ['LANG', 'PATH']);
});

t.test('a program without a script in it is run too', async (t) => {
  const path = join(t.testdir({}), 'echo');
  copyFileSync('/bin/echo', path);
  const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
  const { plugin } = open({ name: pluginName, path, sha256, timeoutMs: 10_000 });
  await t.rejects(plugin.describe(never()), {
    code: 'PLUGIN_ANSWER_MALFORMED',
    message: /not one JSON document/,
  });
});

const unusable: Readonly<
  Record<string, [(plugin: AllowedPlugin, t: Test) => Partial<AllowedPlugin>, string, RegExp]>
> = {
  'that is not there': [({ path }) => ({ path: `${path}-none` }), 'PLUGIN_UNUSABLE', /ENOENT/],
  'behind a symbolic link': [
    ({ path }) => {
      symlinkSync(path, `${path}-link`);
      return { path: `${path}-link` };
    },
    'PLUGIN_UNUSABLE',
    /is a symbolic link/,
  ],
  'that is a folder': [
    ({ path }) => ({ path: join(path, '..') }),
    'PLUGIN_UNUSABLE',
    /is no regular file/,
  ],
  'that its group may write': [
    ({ path }) => {
      chmodSync(path, 0o775);
      return {};
    },
    'PLUGIN_UNUSABLE',
    /may be written by its group/,
  ],
  'that anybody may write': [
    ({ path }) => {
      chmodSync(path, 0o757);
      return {};
    },
    'PLUGIN_UNUSABLE',
    /may be written by/,
  ],
  'with other bytes': [
    ({ path }) => {
      appendFileSync(path, '#');
      return {};
    },
    'PLUGIN_CHANGED',
    /is the one that is allowed/,
  ],
  'that nobody may run': [
    ({ path }) => {
      chmodSync(path, 0o644);
      return {};
    },
    'PLUGIN_FAILED',
    /could not be run: .*EACCES/,
  ],
};

for (const [what, [change, code, message]] of Object.entries(unusable)) {
  t.test(`a file ${what} is not run`, async (t) => {
    const written = writePlugin(t);
    const { plugin, runs } = open({ ...written, ...change(written, t) });
    await t.rejects(plugin.verify(question, never()), { name: 'PluginError', code, message });
    t.same(written.questions(), []);
    t.match(runs, [{ outcome: code }]);
  });
}

t.test('a file that changes after it was asked what it is is not run', async (t) => {
  const written = writePlugin(t);
  const { plugin } = open(written);
  await plugin.describe(never());
  appendFileSync(written.path, '\n');
  await t.rejects(plugin.verify(question, never()), { code: 'PLUGIN_CHANGED' });
});

const wrongMetadata: Readonly<Record<string, [replaced: Record<string, unknown>, why: RegExp]>> = {
  'another name': [{ name: 'b' }, /calls itself "b"/],
  'no version': [{ version: undefined }, /version is missing/],
  'no description': [{ description: '' }, /description is missing/],
  'no url': [{ url: 1 }, /url is missing, empty or no text/],
  'another contract': [{ supportedContractVersions: ['2.0'] }, /not support version 1\.0/],
  'no contracts': [{ supportedContractVersions: null }, /not support version 1\.0/],
  'contracts that are no list': [{ supportedContractVersions: '1.0' }, /is no list/],
  'capabilities to sign alone': [
    { capabilities: ['SIGNATURE_GENERATOR.RAW'] },
    /no capability to verify/,
  ],
  'capabilities that are no texts': [{ capabilities: [1] }, /no text/],
};

for (const [what, [replaced, message]] of Object.entries(wrongMetadata)) {
  t.test(`metadata with ${what} breaks the contract`, async (t) => {
    const { plugin } = open(writePlugin(t, { metadata: metadataOf(replaced) }));
    await t.rejects(plugin.describe(never()), { code: 'PLUGIN_ANSWER_MALFORMED', message });
  });
}

const yes = { success: true };
const wrongAnswers: Readonly<Record<string, [answer: string, why: RegExp]>> = {
  'no JSON': ['yes', /not one JSON document/],
  nothing: ['', /not one JSON document/],
  'more behind it': [`${answerOf()} {}`, /not one JSON document/],
  'a line before it': [`checking\n${answerOf()}`, /not one JSON document/],
  'a name twice': ['{"processedAttributes":[],"processedAttributes":[]}', /stands twice/],
  'a list': ['[]', /no JSON object/],
  'no results': [answerOf({ verificationResults: null }), /verificationResults is no object/],
  'one result too few': [
    answerOf({ verificationResults: { [identity]: yes } }),
    /no answer for SIGNATURE_VERIFIER.REVOCATION_CHECK/,
  ],
  'one result too many': [
    answerOf({ verificationResults: { [identity]: yes, [revocation]: yes, more: yes } }),
    /was not asked for "more"/,
  ],
  'a result that is neither yes nor no': [
    answerOf({ verificationResults: { [identity]: { success: 'true' }, [revocation]: yes } }),
    /neither yes nor no/,
  ],
  'a reason that is no text': [
    answerOf({ verificationResults: { [identity]: yes, [revocation]: { ...yes, reason: 1 } } }),
    /is no text/,
  ],
  'attributes that are no list': [answerOf({ processedAttributes: 'a' }), /is no list/],
};

for (const [what, [answer, message]] of Object.entries(wrongAnswers)) {
  t.test(`an answer with ${what} breaks the contract`, async (t) => {
    const code = 'PLUGIN_ANSWER_MALFORMED';
    await t.rejects(verify(t, `printf '%s' '${answer}'`), { code, message });
  });
}

t.test('an exit code but 0 finds nothing out, and the own error is told', async (t) => {
  const error = JSON.stringify({ errorCode: 'ACCESS_DENIED', errorMessage: 'no \u001b way' });
  await t.rejects(verify(t, `echo '${error}' >&2; exit 1`), {
    code: 'PLUGIN_FAILED',
    message: /ended with exit code 1 \("ACCESS_DENIED": "no \\u001b way"\)$/,
  });
  await t.rejects(verify(t, `echo '${answerOf()}'; echo oops >&2; exit 3`), {
    code: 'PLUGIN_FAILED',
    message: /ended with exit code 3$/,
  });
  await t.rejects(verify(t, 'kill -9 $$'), { code: 'PLUGIN_FAILED', message: /by a signal/ });
});

t.test('what says too much is ended', async (t) => {
  await t.rejects(verify(t, 'while :; do echo 0123456789abcdef0123456789abcdef; done'), {
    code: 'PLUGIN_FAILED',
    message: /its output is larger/,
  });
  await t.rejects(verify(t, 'while :; do echo 0123456789abcdef0123456789abcdef >&2; done'), {
    code: 'PLUGIN_FAILED',
    message: /standard error is larger/,
  });
});

/** Whether a process is alive that is no zombie. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** A signal that was sent arrives a moment later. */
async function isGone(pid: number): Promise<boolean> {
  for (let turns = 0; isAlive(pid) && turns < 100_000; turns += 1) await othersTurn();
  return !isAlive(pid);
}

t.test('one that takes too long is ended with all that it has started', async (t) => {
  const file = join(t.testdir({ pids: '' }), 'pids');
  const hang = `sleep 300 & echo "$$ $!" > ${file}; wait`;
  await t.rejects(verify(t, hang, { timeoutMs: 1000 }), {
    code: 'PLUGIN_TIMEOUT',
    message: /no answer within 1000 ms/,
  });
  const pids = readFileSync(file, 'utf8').trim().split(' ').map(Number);
  t.equal(pids.length, 2);
  for (const pid of pids) t.ok(await isGone(pid));
});

t.test('what it leaves behind does not outlive its answer, nor keep it waiting', async (t) => {
  const file = join(t.testdir({ pid: '' }), 'pid');
  const leave = `sleep 300 > /dev/null 2>&1 & echo "$!" > ${file}; echo '${answerOf()}'`;
  t.ok(await verify(t, leave));
  t.ok(await isGone(Number(readFileSync(file, 'utf8'))));
});

t.test('whoever waits for it may give up', async (t) => {
  const { plugin, runs } = open(writePlugin(t, { verify: 'sleep 300' }));
  const giveUp = new AbortController();
  const asked = plugin.verify(question, giveUp.signal);
  giveUp.abort(new Error('enough'));
  await t.rejects(asked, { message: 'enough' });
  t.match(runs, [{ outcome: 'cancelled' }]);
});

t.test('an input that it does not read is no fault', async (t) => {
  const written = writePlugin(t);
  const { path } = written;
  const text = `#!/bin/sh\nexec 0<&-\necho '${answerOf()}'\n`;
  writeFileSync(path, text);
  const sha256 = createHash('sha256').update(text).digest('hex');
  const large = { ...question.signature, certificateChain: ['A'.repeat(1024 * 1024)] };
  const { plugin } = open({ ...written, sha256 });
  t.ok(await plugin.verify({ ...question, signature: large }, never()));
});
