import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import t, { type Test } from 'tap';
import { runHelper } from '../../../../src/upstream/auth/credential-helper.ts';
import { failureOf } from '../../../support/remote-kit.ts';

/** Puts `docker-credential-lab` before everything else in PATH. */
function install(t: Test, script: string): string {
  const folder = t.testdir();
  const file = join(folder, 'docker-credential-lab');
  writeFileSync(file, `#!/bin/sh\n${script.replaceAll('$FOLDER', folder)}\n`);
  chmodSync(file, 0o755);
  const { PATH: before = '' } = process.env;
  process.env['PATH'] = `${folder}${delimiter}${before}`;
  t.teardown(() => {
    process.env['PATH'] = before;
  });
  return folder;
}

t.test('a helper gets the server on its input and answers with a password', async (t) => {
  const folder = install(
    t,
    `echo "$@" > $FOLDER/arguments; cat > $FOLDER/input; echo '{"ServerURL":"x","Username":"bot","Secret":"s"}'`,
  );
  t.strictSame(await runHelper('lab', 'ghcr.io'), {
    kind: 'password',
    username: 'bot',
    secret: 's',
  });
  t.equal(readFileSync(join(folder, 'input'), 'utf8'), 'ghcr.io');
  t.equal(readFileSync(join(folder, 'arguments'), 'utf8'), 'get\n');
});

t.test('the user name <token> says that it is an identity token', async (t) => {
  install(t, `echo '{"Username":"<token>","Secret":"refresh"}'`);
  const expected = { kind: 'identity-token', username: '', secret: 'refresh' };
  t.strictSame(await runHelper('lab', 'ghcr.io'), expected);
});

t.test('a helper that knows no credentials is no error', async (t) => {
  install(t, 'echo "credentials not found in native keychain"; exit 1');
  t.equal(await runHelper('lab', 'ghcr.io'), undefined);
});

t.test('a helper sees of our environment only what is meant for it', async (t) => {
  process.env['ASSAY_TEST_SECRET'] = 'secret';
  process.env['AWS_TEST_REGION'] = 'eu';
  t.teardown(() => {
    delete process.env['ASSAY_TEST_SECRET'];
    delete process.env['AWS_TEST_REGION'];
  });
  const folder = install(t, `env > $FOLDER/env; echo '{"Username":"a","Secret":"b"}'`);
  await runHelper('lab', 'ghcr.io');
  const seen = readFileSync(join(folder, 'env'), 'utf8');
  t.notMatch(seen, /ASSAY_TEST_SECRET/);
  t.match(seen, /AWS_TEST_REGION=eu/);
  t.match(seen, /PATH=/);
});

const broken: Readonly<Record<string, string>> = {
  fails: 'echo "secret" ; exit 3',
  'fails with words on its error output':
    'echo "credentials not found in native keychain" >&2; exit 1',
  'answers with no JSON': 'echo secret',
  'answers without a secret': `echo '{"Username":"a"}'`,
  'answers with another type': `echo '{"Username":"a","Secret":1}'`,
  'answers with a name twice': `echo '{"Username":"a","Secret":"secret","Secret":"c"}'`,
  'answers with nothing': 'true',
};
for (const [what, script] of Object.entries(broken)) {
  t.test(`a helper that ${what} is an error that repeats nothing of it`, async (t) => {
    install(t, script);
    const error = await failureOf(t, runHelper('lab', 'ghcr.io'));
    t.equal(error.code, 'UPSTREAM_UNAUTHORIZED');
    t.match(error.message, /the credential helper "lab"/);
    t.notMatch(`${error.message} ${String(error.cause)}`, /secret/);
  });
}

t.test('a helper that says too much is stopped', async (t) => {
  const folder = install(t, 'echo $$ > $FOLDER/pid; while true; do echo "secret secret"; done');
  const error = await failureOf(t, runHelper('lab', 'ghcr.io'));
  t.match(error.message, /can not be run/);
  const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
  await t.rejects(
    async () => {
      for (;;) {
        process.kill(pid, 0);
        await new Promise(setImmediate);
      }
    },
    { code: 'ESRCH' },
  );
});

t.test('a helper that is not there is an error', async (t) => {
  const error = await failureOf(t, runHelper('not-installed-anywhere', 'ghcr.io'));
  t.equal(error.code, 'UPSTREAM_UNAUTHORIZED');
  t.match(error.message, /can not be run/);
});

t.test('a name that is more than a word is never run', async (t) => {
  for (const name of ['', '../x', 'a/b', 'a;b', 'a b', '-x', '$(x)', 'x'.repeat(65)]) {
    const error = await failureOf(t, runHelper(name, 'ghcr.io'));
    t.match(error.message, /no single word/, name);
  }
});
