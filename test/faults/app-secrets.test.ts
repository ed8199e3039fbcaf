import t, { type Test } from 'tap';
import { type AppKit, type Reply, signatureOf, startAppKit } from '../support/app-kit.ts';
import { buildImage } from '../support/build-image.ts';
import { exchangeRaw } from '../support/route-server.ts';
import { bearerChallenge, behind, jsonAnswer, redirectTo } from '../support/scripted-answers.ts';
import { openScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import type { Script, SeenRequest, Step } from '../support/scripted-upstream.ts';
import { makeServerCertificate } from '../support/server-certificate.ts';

/**
 * Secrets stay where they belong: what a client sends never reaches an upstream, what one
 * upstream gets never reaches another, and no log line, metric, header or body has any of them.
 */

const secrets = {
  password: 'canary-password-1f8e',
  token: 'canary-token-9c2d',
  signedUrl: 'canary-signed-url-77ab',
  stateKey: 'canary-state-key-0000000000000000000000',
  client: 'canary-of-a-client-5d31',
};
const basic = `Basic ${Buffer.from(`bot:${secrets.password}`).toString('base64')}`;
const forms = [...Object.values(secrets), basic.slice('Basic '.length)];

/** What a client may send along, and nobody else is to see. */
const clientHeaders = {
  authorization: `Bearer ${secrets.client}`,
  cookie: `session=${secrets.client}`,
  'proxy-authorization': `Basic ${secrets.client}`,
  'x-registry-auth': secrets.client,
  'x-registry-config': secrets.client,
  'x-forwarded-for': secrets.client,
  'x-forwarded-host': 'evil.example',
  'x-meta-source': secrets.client,
  forwarded: `for=${secrets.client}`,
  referer: `https://${secrets.client}.example/`,
  'user-agent': `docker/${secrets.client}`,
  'accept-language': 'tlh',
  'x-b3-traceid': secrets.client,
  traceparent: `00-${secrets.client}`,
};

const image = buildImage({ name: 'secrets' });
const unsigned = buildImage({ name: 'secrets, unsigned' });
const layer = image.blobs[1]!.descriptor;
const signature = signatureOf(image.descriptor);

interface Kit extends AppKit {
  readonly a: ScriptedRegistry;
  readonly b: ScriptedRegistry;
  /** Asks for all that there is to be asked; returns all that came back. */
  askEverything(): Promise<readonly Reply[]>;
}

const certificate = makeServerCertificate();

/** A behind a log-in, B without one, and the app between them and a client. */
async function open(t: Test, scheme: 'basic' | 'bearer'): Promise<Kit> {
  const tls = { key: certificate.key, cert: certificate.certificate };
  const registries = [
    await openScriptedRegistry(t, { tls }),
    await openScriptedRegistry(t, { tls }),
  ];
  const [first, second] = registries as [ScriptedRegistry, ScriptedRegistry];
  for (const registry of [first, second]) {
    registry.put('app', image, 'v1');
    registry.put('app', unsigned, 'unsigned');
    registry.put('app', signature);
  }
  guard(first, scheme, (request) => first.answer(request));
  const credentials = { username: 'bot', password: secrets.password };
  const kit = await startAppKit(t, {
    files: { 'ca.pem': certificate.ca },
    upstreams: {
      a: { url: first.origin, credentials, ca: './ca.pem' },
      b: { url: second.origin, ca: './ca.pem' },
    },
    config: {
      egress: { allowPrivate: ['127.0.0.0/8'] },
      state: { keys: [secrets.stateKey] },
    },
  });
  return { ...kit, a: first, b: second, askEverything: () => askEverything(kit) };
}

/** Every request must show its right; a token costs the password. */
function guard(registry: ScriptedRegistry, scheme: 'basic' | 'bearer', script: Script): void {
  const challenge = bearerChallenge(`${registry.origin}/token`, 'repository:app:pull');
  registry.otherwise(
    scheme === 'basic'
      ? behind(basic, 'Basic realm="a"', script)
      : behind(`Bearer ${secrets.token}`, challenge, script),
  );
  registry.on('GET /token', behind(basic, 'Basic realm="t"', jsonAnswer({ token: secrets.token })));
}

async function askEverything(kit: AppKit): Promise<readonly Reply[]> {
  const replies: Reply[] = [];
  for (const key of ['a', 'b']) {
    for (const path of [
      'manifests/v1',
      `manifests/${image.descriptor.digest}`,
      'manifests/unsigned',
      'manifests/absent',
      `blobs/${layer.digest}`,
      `blobs/${unsigned.blobs[1]!.descriptor.digest}`,
      `referrers/${image.descriptor.digest}`,
      'tags/list',
    ]) {
      for (const method of ['HEAD', 'GET']) {
        const asked = kit.ask(`${key}/app/${path}`, { method, headers: clientHeaders });
        const reply = await asked.catch(() => undefined);
        if (reply !== undefined) replies.push(reply);
      }
    }
  }
  return replies;
}

/** Secrets that anything said: the log, the metrics, health, headers and bodies. */
async function leaksOf(kit: AppKit, replies: readonly Reply[]): Promise<readonly string[]> {
  const admin = await Promise.all(
    ['/metrics', '/readyz', '/livez'].map(async (path) => (await fetch(kit.admin + path)).text()),
  );
  const said = [
    ...kit.lines.map((line) => JSON.stringify(line)),
    ...admin,
    ...replies.flatMap(({ headers, statusText, body }) => [
      JSON.stringify([...headers]),
      statusText,
      String(body),
    ]),
  ];
  return said.filter((text) => forms.some((form) => text.includes(form)));
}

function secretsIn(requests: readonly SeenRequest[], known: readonly string[]): readonly string[] {
  const others = forms.filter((form) => !known.includes(form));
  return requests
    .map(({ headers, target, body }) => `${target} ${JSON.stringify(headers)} ${body}`)
    .filter((text) => others.some((form) => text.includes(form)));
}

const ours = new Set([
  'host',
  'connection',
  'user-agent',
  'accept',
  'accept-encoding',
  'authorization',
]);

t.test('what a client sends along never reaches an upstream', async (t) => {
  const kit = await open(t, 'bearer');
  const replies = await kit.askEverything();
  t.equal(replies.filter(({ status }) => status === 200).length, 20);
  const requests = [...kit.a.requests, ...kit.b.requests];
  t.ok(requests.length > 20);
  const names = new Set(requests.flatMap(({ headers }) => Object.keys(headers)));
  t.same(
    [...names].filter((name) => !ours.has(name)),
    [],
  );
  t.same(secretsIn(requests, [secrets.password, secrets.token, basic.slice(6)]), []);
  t.same([...new Set(requests.map(({ headers }) => headers['user-agent']))], ['assay']);
  t.same(await leaksOf(kit, replies), []);
});

/** Ways in which A sends us to B. */
const ways: Readonly<Record<string, (b: ScriptedRegistry) => Script>> = {
  'a redirect of everything': (b) => (request) =>
    redirectTo(`${b.origin}${request.path}?X-Signature=${secrets.signedUrl}`),
  'a redirect of blobs': (b) => blobsTo((path) => `${b.origin}${path}?sig=${secrets.signedUrl}`),
  'a realm of B': (b) => ({
    status: 401,
    headers: { 'www-authenticate': bearerChallenge(`${b.origin}/token`, 'x') },
  }),
  'a next page of B': (b) =>
    jsonAnswer(
      { tags: ['v1'], manifests: [] },
      { link: `<${b.origin}/v2/app/tags/list?token=${secrets.signedUrl}>; rel="next"` },
    ),
};

let current: ScriptedRegistry | undefined;
function blobsTo(toUrl: (path: string) => string): Script {
  return (request) =>
    request.path.includes('/blobs/')
      ? redirectTo(toUrl(request.path))
      : (current?.answer(request) ?? {});
}

for (const scheme of ['basic', 'bearer'] as const) {
  for (const [way, toB] of Object.entries(ways)) {
    t.test(`what A gets by ${scheme} does not reach B by ${way}`, async (t) => {
      const kit = await open(t, scheme);
      current = kit.a;
      guard(kit.a, scheme, toB(kit.b));
      const replies = await kit.askEverything();
      t.ok(kit.a.requests.some(({ headers }) => headers.authorization !== undefined));
      t.same(secretsIn(kit.b.requests, [secrets.signedUrl]), []);
      if (way.startsWith('a redirect')) {
        const redirected = kit.b.requests.filter(({ target }) => /canary-signed-url/.test(target));
        t.ok(redirected.length > 0, 'the redirect is followed');
        t.equal((await kit.ask(`a/app/blobs/${layer.digest}`)).status, 200);
      }
      t.ok(kit.b.requests.every(({ headers }) => headers.authorization === undefined));
      t.same(await leaksOf(kit, replies), []);
    });
  }
}

const everything = Object.values(secrets).join(' ');
const signed = `?X-Amz-Signature=${secrets.signedUrl}`;

/** Answers that say secrets back, in all the places that an error might quote. */
const echoes: Readonly<Record<string, Step>> = {
  'an error with secrets in it': {
    status: 500,
    body: everything,
    headers: { 'retry-after': '60' },
  },
  'a refusal with secrets in it': {
    status: 403,
    body: JSON.stringify({ errors: [{ code: 'DENIED', message: everything }] }),
  },
  'a type of secrets': { headers: { 'content-type': `text/${secrets.token}` }, body: '{}' },
  'a digest of secrets': { headers: { 'docker-content-digest': secrets.token }, body: '{}' },
  'bytes of secrets': { headers: { 'content-type': 'application/json' }, body: `{${everything}` },
  'no HTTP but secrets': { raw: `${everything}\r\n\r\n` },
  'a header line of secrets': { raw: `HTTP/1.1 200 OK\r\n${everything}\r\n\r\n` },
  'a redirect to what is not allowed': redirectTo(`https://127.0.0.1:1/x${signed}`),
  'a redirect to plain http': redirectTo(`http://cdn.example/x${signed}`),
  'a redirect with a space': redirectTo(`https://cdn.example/x${signed} y`),
  'a redirect with a password': redirectTo(`https://bot:${secrets.signedUrl}@cdn.example/x`),
  'a redirect to no URL': redirectTo(`https://bot:${secrets.signedUrl}@[cdn/x${signed}`),
  'a realm with a query': {
    status: 401,
    headers: { 'www-authenticate': `Bearer realm="http://b.example/token${signed}"` },
  },
  'a realm that is no URL': {
    status: 401,
    headers: { 'www-authenticate': `Bearer realm="ftp://b.example/token${signed}"` },
  },
  'a challenge that can not be read': {
    status: 401,
    headers: { 'www-authenticate': `Bearer realm="${everything}` },
  },
  'a next page elsewhere': jsonAnswer(
    { tags: [], manifests: [] },
    { link: `<https://b.example/v2/app/tags/list${signed}>; rel="next"` },
  ),
  'a next page that can not be read': jsonAnswer({ tags: [] }, { link: `<${everything}` }),
};

for (const [what, step] of Object.entries(echoes)) {
  t.test(`${what}: nothing of it is repeated`, async (t) => {
    const kit = await open(t, 'basic');
    guard(kit.a, 'basic', step);
    const replies = await kit.askEverything();
    t.same(
      replies.slice(0, 16).filter(({ status }) => status === 200),
      [],
    );
    t.same(await leaksOf(kit, replies), []);
  });
}

t.test('nor are the path and the headers of a request that is refused', async (t) => {
  const kit = await open(t, 'basic');
  const lines = [
    `GET /v2/a/app/manifests/v1?token=${secrets.client} HTTP/1.1`,
    `GET /v2/a/${secrets.client}%2f../manifests/v1 HTTP/1.1`,
    `GET http://bot:${secrets.client}@a/v2/ HTTP/1.1`,
    `PUT /v2/a/app/manifests/v1?${secrets.client} HTTP/1.1`,
    `${secrets.client} / HTTP/1.1`,
  ];
  for (const line of lines) {
    const headers = `Host: a\r\nAuthorization: Bearer ${secrets.client}\r\nConnection: close`;
    const answer = await exchangeRaw(t, kit.port, `${line}\r\n${headers}\r\n\r\n`);
    t.match(answer, /^HTTP\/1\.1 \d{3} /);
    t.notMatch(answer, secrets.client);
  }
  t.same(await leaksOf(kit, []), []);
});
