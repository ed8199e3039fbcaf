import t from 'tap';
import type { CredentialOptions } from '../../src/upstream/auth/credentials.ts';
import type { Credential } from '../../src/upstream/auth/credential.ts';
import { makeBarrier } from '../support/barrier.ts';
import { buildImage } from '../support/build-image.ts';
import { failureOf, openRemoteKit, path, signal, tag } from '../support/remote-kit.ts';
import {
  bearerChallenge,
  behind,
  jsonAnswer,
  manifestAnswer,
  redirectTo,
  tooManyRequests,
  unauthorized,
} from '../support/scripted-answers.ts';
import type { ScriptedUpstream, Step } from '../support/scripted-upstream.ts';

const good = manifestAnswer(buildImage().bytes);
const byTag = `GET /v2/${path}/manifests/${tag}`;
const scope = `repository:${path}:pull`;
const bot: CredentialOptions = { username: 'bot', password: 's3:cret' };
const basic = `Basic ${Buffer.from('bot:s3:cret').toString('base64')}`;
const unknown = 'Bearer realm="ignored"';

/** Asks for a token of its own /token and takes `Bearer t1`. */
function scriptTokens(upstream: ScriptedUpstream, token: Step = jsonAnswer({ token: 't1' })): void {
  const challenge = bearerChallenge(`${upstream.origin}/token`, scope);
  upstream.on(byTag, behind('Bearer t1', challenge, good));
  upstream.on('* /token', token);
}

t.test('a token is fetched with the scope and service of the challenge, and used', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  scriptTokens(upstream);
  t.ok(await source.fetchManifest(path, { tag }, signal));
  const [, token] = upstream.requests;
  t.equal(token?.method, 'GET');
  t.strictSame(Object.fromEntries(token?.query ?? []), { service: 'registry', scope });
  t.notOk('authorization' in (token?.headers ?? {}), 'without credentials anonymously');
});

t.test('a token is kept: the second request brings it along', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  scriptTokens(upstream);
  await source.fetchManifest(path, { tag }, signal);
  await source.fetchManifest(path, { tag }, signal);
  t.strictSame(
    upstream.requests.map(({ path: asked }) => asked === '/token'),
    [false, true, false, false],
  );
});

t.test('with a user name the token is asked for by Basic and account', async (t) => {
  const { upstream, source } = await openRemoteKit(t, { credentials: bot });
  scriptTokens(upstream);
  await source.fetchManifest(path, { tag }, signal);
  const [token] = upstream.seen('/token');
  t.equal(token?.headers.authorization, basic);
  t.equal(token?.query.get('account'), 'bot');
});

t.test('Basic is answered with Basic, and from then on at once', async (t) => {
  const { upstream, source } = await openRemoteKit(t, { credentials: bot });
  upstream.on(byTag, behind(basic, 'Basic realm="lab"', good));
  t.ok(await source.fetchManifest(path, { tag }, signal));
  t.ok(await source.fetchManifest(path, { tag }, signal));
  t.equal(upstream.requests.length, 3);
});

t.test('Bearer goes before Basic where both are offered', async (t) => {
  const { upstream, source } = await openRemoteKit(t, { credentials: bot });
  const both = `Basic realm="lab", ${bearerChallenge(`${upstream.origin}/token`, scope)}`;
  upstream.on(byTag, behind('Bearer t1', both, good));
  upstream.on('GET /token', jsonAnswer({ token: 't1' }));
  t.ok(await source.fetchManifest(path, { tag }, signal));
});

t.test('Basic without credentials is refused after one request', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.otherwise(unauthorized('Basic realm="lab"'));
  const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
  t.equal(error.code, 'UPSTREAM_UNAUTHORIZED');
  t.equal(upstream.requests.length, 1);
});

t.test('a loop of 401 ends after one more try', async (t) => {
  const { upstream, source } = await openRemoteKit(t, { credentials: bot });
  const challenge = bearerChallenge(`${upstream.origin}/token`, scope);
  upstream.on(byTag, unauthorized(challenge));
  upstream.on('GET /token', jsonAnswer({ token: 't1' }));
  const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
  t.equal(error.code, 'UPSTREAM_UNAUTHORIZED');
  t.match(error.message, /status 401/);
  t.equal(upstream.requests.length, 3);
});

for (const status of [401, 403]) {
  t.test(
    `a kept token that is refused with ${status} is dropped and fetched anew, once`,
    async (t) => {
      const { upstream, source } = await openRemoteKit(t, { credentials: bot });
      scriptTokens(upstream);
      await source.fetchManifest(path, { tag }, signal);
      const challenge = bearerChallenge(`${upstream.origin}/token`, scope);
      const refusal = status === 401 ? unauthorized(challenge) : { status: 403 };
      upstream.on(byTag, (request) =>
        request.headers.authorization === 'Bearer t2' ? good : refusal,
      );
      upstream.on('* /token', jsonAnswer({ token: 't2' }));
      t.ok(await source.fetchManifest(path, { tag }, signal));
      upstream.on(byTag, refusal);
      upstream.on('* /token', jsonAnswer({ token: 't3' }));
      const before = upstream.requests.length;
      const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
      t.equal(error.code, 'UPSTREAM_UNAUTHORIZED');
      t.equal(upstream.requests.length - before, 3);
    },
  );
}

t.test('a helper is asked again when what it said was refused', async (t) => {
  const secrets = ['old', 'new'];
  const runHelper = (): Promise<Credential> =>
    Promise.resolve({ kind: 'password', username: 'AWS', secret: secrets.shift() ?? 'none' });
  const credentials = { credentialHelper: 'ecr-login' };
  const { upstream, source } = await openRemoteKit(t, { credentials }, { runHelper });
  const old = `Basic ${Buffer.from('AWS:old').toString('base64')}`;
  const renewed = `Basic ${Buffer.from('AWS:new').toString('base64')}`;
  upstream.on(byTag, behind(old, 'Basic realm="ecr"', good));
  t.ok(await source.fetchManifest(path, { tag }, signal));
  // ECR says 403 with a text once a token of twelve hours has ended.
  upstream.on(byTag, ({ headers }) => (headers.authorization === renewed ? good : { status: 403 }));
  t.ok(await source.fetchManifest(path, { tag }, signal));
});

t.test('a token is renewed before it ends', async (t) => {
  const { upstream, source, clock } = await openRemoteKit(t);
  scriptTokens(upstream, jsonAnswer({ token: 't1', expires_in: 300 }));
  await source.fetchManifest(path, { tag }, signal);
  clock.advanceMs(239_999);
  await source.fetchManifest(path, { tag }, signal);
  t.equal(upstream.seen('/token').length, 1);
  clock.advanceMs(1);
  await source.fetchManifest(path, { tag }, signal);
  t.equal(upstream.seen('/token').length, 2);
});

for (const expiresIn of [undefined, 1, 0, -5, 'soon', null]) {
  t.test(`a life of ${String(expiresIn)} seconds counts as a minute`, async (t) => {
    const { upstream, source, clock } = await openRemoteKit(t);
    scriptTokens(upstream, jsonAnswer({ token: 't1', expires_in: expiresIn }));
    await source.fetchManifest(path, { tag }, signal);
    clock.advanceMs(47_999);
    await source.fetchManifest(path, { tag }, signal);
    t.equal(upstream.seen('/token').length, 1);
    clock.advanceMs(1);
    await source.fetchManifest(path, { tag }, signal);
    t.equal(upstream.seen('/token').length, 2);
  });
}

t.test('many requests at once fetch one token', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  const after = makeBarrier();
  scriptTokens(upstream, { ...jsonAnswer({ token: 't1' }), after });
  const calls = Array.from({ length: 20 }, () => source.fetchManifest(path, { tag }, signal));
  await after.reached;
  after.release();
  await Promise.all(calls);
  t.equal(upstream.seen('/token').length, 1);
});

t.test(
  'the body of a challenge keeps no connection from the log-in, nor from others',
  async (t) => {
    const limits = { maxConnections: 1, totalMs: 5_000 };
    const { upstream, source } = await openRemoteKit(t, { limits });
    const challenge = bearerChallenge(`${upstream.origin}/token`, scope);
    const body = Buffer.alloc(4 * 1024 * 1024);
    const large = { ...unauthorized(challenge), body };
    upstream.on('GET /token', { status: 403 }, jsonAnswer({ token: 't1' }));
    upstream.on(byTag, large, good);
    const { code } = await failureOf(t, source.fetchManifest(path, { tag }, signal));
    t.equal(code, 'UPSTREAM_UNAUTHORIZED', 'not for want of a connection');
    t.ok(await source.fetchManifest(path, { tag }, signal));
  },
);

t.test('the member access_token is a token too', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  scriptTokens(upstream, jsonAnswer({ access_token: 't1' }));
  t.ok(await source.fetchManifest(path, { tag }, signal));
});

const badTokens: Readonly<Record<string, [Step, string]>> = {
  'without a token': [jsonAnswer({}), 'UPSTREAM_MISBEHAVED'],
  'with an empty token': [jsonAnswer({ token: '' }), 'UPSTREAM_MISBEHAVED'],
  'with a number': [jsonAnswer({ token: 7 }), 'UPSTREAM_MISBEHAVED'],
  'with a token of two lines': [jsonAnswer({ token: 'a\r\nX-Evil: y' }), 'UPSTREAM_MISBEHAVED'],
  'with a list': [jsonAnswer([]), 'UPSTREAM_MISBEHAVED'],
  'with HTML': [{ body: '<html>' }, 'UPSTREAM_MISBEHAVED'],
  'with a token twice': [{ body: '{"token":"a","token":"b"}' }, 'UPSTREAM_MISBEHAVED'],
  'with more than 64 KiB': [jsonAnswer({ token: 'x'.repeat(65_536) }), 'UPSTREAM_TOO_LARGE'],
  'without end': [{ endless: Buffer.alloc(65_536, 32) }, 'UPSTREAM_TOO_LARGE'],
  'with 401': [{ status: 401 }, 'UPSTREAM_UNAUTHORIZED'],
  'with 403': [{ status: 403 }, 'UPSTREAM_UNAUTHORIZED'],
  'with 404': [{ status: 404 }, 'UPSTREAM_UNAUTHORIZED'],
  'with 500': [{ status: 500 }, 'UPSTREAM_FAILED'],
  'with a redirect': [redirectTo('/elsewhere'), 'UPSTREAM_LEADS_ASTRAY'],
  'with 429': [tooManyRequests('30'), 'UPSTREAM_RATE_LIMITED'],
};
for (const [what, [step, code]] of Object.entries(badTokens)) {
  t.test(`a token server that answers ${what} is an error, never an absence`, async (t) => {
    const { upstream, source } = await openRemoteKit(t, { credentials: bot });
    scriptTokens(upstream, step);
    const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
    t.equal(error.code, code, error.message);
    t.equal(upstream.seen('/elsewhere').length, 0);
    if (code === 'UPSTREAM_RATE_LIMITED') t.equal(error.retryAfterSeconds, 30);
  });
}

t.test('a token server that hangs is a timeout', async (t) => {
  const { upstream, source } = await openRemoteKit(t, { limits: { headersMs: 50 } });
  scriptTokens(upstream, { hang: 'before-headers' });
  const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
  t.equal(error.code, 'UPSTREAM_TIMEOUT');
});

const refreshing = (): Promise<Credential> =>
  Promise.resolve({ kind: 'identity-token', username: '', secret: 'refresh-me' });

t.test('an identity token is exchanged by POST', async (t) => {
  const credentials = { credentialHelper: 'acr' };
  const { upstream, source } = await openRemoteKit(t, { credentials }, { runHelper: refreshing });
  scriptTokens(upstream);
  await source.fetchManifest(path, { tag }, signal);
  const [token] = upstream.seen('/token');
  t.equal(token?.method, 'POST');
  t.equal(token?.headers['content-type'], 'application/x-www-form-urlencoded');
  t.notOk('authorization' in (token?.headers ?? {}));
  t.equal(token?.target, '/token', 'no secret in the URL');
  t.strictSame(Object.fromEntries(new URLSearchParams(token?.body)), {
    client_id: 'assay',
    grant_type: 'refresh_token',
    refresh_token: 'refresh-me',
    scope,
    service: 'registry',
  });
});

for (const status of [400, 401, 404, 405]) {
  t.test(`where POST is answered with ${status}, an identity token is used by GET`, async (t) => {
    const credentials = { credentialHelper: 'acr' };
    const { upstream, source } = await openRemoteKit(t, { credentials }, { runHelper: refreshing });
    scriptTokens(upstream);
    upstream.on('POST /token', { status });
    upstream.on('GET /token', jsonAnswer({ token: 't1' }));
    t.ok(await source.fetchManifest(path, { tag }, signal));
    const [, get] = upstream.seen('/token');
    t.match(get?.headers.authorization, /^Basic /);
  });
}

t.test('where GET is not allowed, a password is used by POST', async (t) => {
  const { upstream, source } = await openRemoteKit(t, { credentials: bot });
  scriptTokens(upstream);
  upstream.on('GET /token', { status: 405 });
  upstream.on('POST /token', jsonAnswer({ token: 't1' }));
  t.ok(await source.fetchManifest(path, { tag }, signal));
  const form = new URLSearchParams(upstream.seen('/token')[1]?.body);
  t.equal(form.get('grant_type'), 'password');
  t.equal(form.get('password'), 's3:cret');
});

const scopes: readonly (readonly [string, string])[] = [
  ['repository:mapped/name:pull', 'repository:mapped/name:pull'],
  ['repository:team/app:pull,push', scope],
  ['repository:team/app:*', scope],
  ['registry:catalog:*', scope],
  ['', scope],
];
for (const [stated, asked] of scopes) {
  t.test(`the scope ${JSON.stringify(stated)} is asked for as ${asked}`, async (t) => {
    const { upstream, source } = await openRemoteKit(t);
    scriptTokens(upstream);
    const challenge = bearerChallenge(`${upstream.origin}/token`, stated);
    upstream.on(byTag, behind('Bearer t1', challenge, good));
    await source.fetchManifest(path, { tag }, signal);
    t.equal(upstream.seen('/token')[0]?.query.get('scope'), asked);
  });
}

const badChallenges: Readonly<Record<string, string>> = {
  'that names no realm': 'Bearer service="x"',
  'that breaks the grammar': 'Bearer realm="x',
  'with a realm twice': 'Bearer realm="https://a/",realm="https://b/"',
  'that leads to another host': 'Bearer realm="https://evil.example/token"',
  'that leads to a file': 'Bearer realm="file:///etc/passwd"',
  'that is not ours to follow': unknown,
};
for (const [what, challenge] of Object.entries(badChallenges)) {
  t.test(`a challenge ${what} is an error and nothing is sent`, async (t) => {
    const { upstream, source } = await openRemoteKit(t, { credentials: bot });
    upstream.otherwise(unauthorized(challenge));
    const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
    t.ok(['UPSTREAM_MISBEHAVED', 'UPSTREAM_LEADS_ASTRAY'].includes(error.code), error.message);
    t.equal(upstream.requests.length, 1);
  });
}

t.test('no error repeats a secret', async (t) => {
  const credentials = { username: 'bot', password: 'canary-password' };
  for (const step of Object.values(badTokens)) {
    const { upstream, source } = await openRemoteKit(t, { credentials });
    scriptTokens(upstream, step[0]);
    const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
    const base64 = Buffer.from('bot:canary-password').toString('base64');
    const texts = `${error.message} ${String(error.cause)} ${JSON.stringify(error)}`;
    t.notOk(texts.includes('canary') || texts.includes(base64), error.message);
  }
});
