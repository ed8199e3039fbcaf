import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Credential } from '../../../../src/upstream/auth/credential.ts';
import { makeCredentialSource } from '../../../../src/upstream/auth/credentials.ts';
import { makeFakeClock } from '../../../support/fake-clock.ts';
import { failureOf } from '../../../support/remote-kit.ts';

const origin = 'https://ghcr.io';

/** A helper whose every run gives another secret. */
function makeHelpers() {
  const runs: string[] = [];
  const runHelper = (name: string, server: string): Promise<Credential> => {
    runs.push(`${name} ${server}`);
    return Promise.resolve({ kind: 'password', username: name, secret: `secret-${runs.length}` });
  };
  return { runs, runHelper };
}

t.test('without options there are none', async (t) => {
  const clock = makeFakeClock();
  const source = makeCredentialSource(origin, undefined, { clock, ...makeHelpers() });
  t.equal(await source.current(), undefined);
  t.equal(source.origin, origin);
});

t.test('a user name and a password are what they are', async (t) => {
  const clock = makeFakeClock();
  const options = { username: 'bot', password: 'x' };
  const source = makeCredentialSource(origin, options, { clock, ...makeHelpers() });
  const expected = { kind: 'password', username: 'bot', secret: 'x' };
  t.strictSame(await source.current(), expected);
  source.forget();
  t.strictSame(await source.current(), expected);
});

t.test('a helper is run once in five minutes, and again once its answer was refused', async (t) => {
  const clock = makeFakeClock();
  const { runs, runHelper } = makeHelpers();
  const options = { credentialHelper: 'gh' };
  const source = makeCredentialSource(origin, options, { clock, runHelper });
  t.equal((await source.current())?.secret, 'secret-1');
  clock.advanceMs(299_999);
  t.equal((await source.current())?.secret, 'secret-1');
  clock.advanceMs(1);
  t.equal((await source.current())?.secret, 'secret-2');
  source.forget();
  t.equal((await source.current())?.secret, 'secret-3');
  t.strictSame(runs, ['gh ghcr.io', 'gh ghcr.io', 'gh ghcr.io']);
});

t.test('a helper is asked for Docker Hub by its own name', async (t) => {
  const { runs, runHelper } = makeHelpers();
  const options = { credentialHelper: 'pass' };
  const hub = 'https://registry-1.docker.io';
  await makeCredentialSource(hub, options, { clock: makeFakeClock(), runHelper }).current();
  t.strictSame(runs, ['pass https://index.docker.io/v1/']);
});

t.test('a helper that failed is tried again', async (t) => {
  let isDown = true;
  const runHelper = () => (isDown ? Promise.reject(new Error('down')) : Promise.resolve(undefined));
  const options = { credentialHelper: 'gh' };
  const source = makeCredentialSource(origin, options, { clock: makeFakeClock(), runHelper });
  await t.rejects(source.current(), { message: 'down' });
  isDown = false;
  t.equal(await source.current(), undefined);
});

t.test('a docker config is read again when it changes', async (t) => {
  const file = join(t.testdir(), 'config.json');
  const write = (pair: string): void => {
    const auth = Buffer.from(pair).toString('base64');
    writeFileSync(file, JSON.stringify({ auths: { 'ghcr.io': { auth } } }));
  };
  write('bot:one');
  const options = { dockerConfig: file };
  const source = makeCredentialSource(origin, options, {
    clock: makeFakeClock(),
    ...makeHelpers(),
  });
  t.equal((await source.current())?.secret, 'one');
  write('bot:three');
  t.equal((await source.current())?.secret, 'three');
});

t.test('a docker config may name a helper', async (t) => {
  const file = join(
    t.testdir({ 'config.json': '{"credHelpers":{"ghcr.io":"gh"}}' }),
    'config.json',
  );
  const { runs, runHelper } = makeHelpers();
  const options = { dockerConfig: file };
  const source = makeCredentialSource(origin, options, { clock: makeFakeClock(), runHelper });
  t.equal((await source.current())?.secret, 'secret-1');
  t.strictSame(runs, ['gh ghcr.io']);
});

t.test('a docker config that can not be read is an error, never anonymous', async (t) => {
  const options = { dockerConfig: join(t.testdir(), 'none.json') };
  const source = makeCredentialSource(origin, options, {
    clock: makeFakeClock(),
    ...makeHelpers(),
  });
  const error = await failureOf(t, source.current());
  t.equal(error.code, 'UPSTREAM_UNAUTHORIZED');
  t.match(error.message, /none\.json/);
});
