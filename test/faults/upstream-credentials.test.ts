import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { digestOf } from '../../src/oci/digest.ts';
import type { Credential } from '../../src/upstream/auth/credential.ts';
import type { ContentSource } from '../../src/upstream/content-source.ts';
import type { RemoteDependencies, RemoteOptions } from '../../src/upstream/remote-options.ts';
import { buildImage } from '../support/build-image.ts';
import { openRemote, path, signal, tag } from '../support/remote-kit.ts';
import {
  bearerChallenge,
  behind,
  jsonAnswer,
  manifestAnswer,
  redirectTo,
} from '../support/scripted-answers.ts';
import {
  openScriptedUpstream,
  type Script,
  type ScriptedUpstream,
} from '../support/scripted-upstream.ts';
import { makeServerCertificate } from '../support/server-certificate.ts';

/**
 * Two upstreams, A with credentials and B, which A does everything to send us to. Whatever way,
 * B sees no credential of A: not as a header, not in the URL, not in a body.
 */

const certificate = makeServerCertificate();
const client = makeServerCertificate('client');
const tls = { key: certificate.key, cert: certificate.certificate };
const image = buildImage();
const good = manifestAnswer(image.bytes);
const digest = digestOf(Buffer.from('blob'));
const token = 'canary-token';
const secret = 'canary-secret';
const scope = `repository:${path}:pull`;
const basicOf = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`;

interface Kind {
  /** `host` is A's. */
  readonly options: (t: Test, host: string) => Partial<RemoteOptions>;
  readonly dependencies?: Partial<RemoteDependencies>;
  /** What A asks for. */
  readonly scheme: 'basic' | 'bearer';
}

const helperWith = (credential: Credential) => ({
  runHelper: () => Promise.resolve(credential),
});
const kinds: Readonly<Record<string, Kind>> = {
  'a password by Basic': {
    options: () => ({ credentials: { username: 'bot', password: secret } }),
    scheme: 'basic',
  },
  'a password for tokens': {
    options: () => ({ credentials: { username: 'bot', password: secret } }),
    scheme: 'bearer',
  },
  'an anonymous token': { options: () => ({}), scheme: 'bearer' },
  'an identity token': {
    options: () => ({ credentials: { credentialHelper: 'x' } }),
    dependencies: helperWith({ kind: 'identity-token', username: '', secret }),
    scheme: 'bearer',
  },
  'a password of a helper': {
    options: () => ({ credentials: { credentialHelper: 'x' } }),
    dependencies: helperWith({ kind: 'password', username: 'bot', secret }),
    scheme: 'basic',
  },
  'a docker config': {
    options(t, host) {
      const dockerConfig = join(t.testdir(), 'config.json');
      const auth = Buffer.from(`bot:${secret}`).toString('base64');
      writeFileSync(dockerConfig, JSON.stringify({ auths: { [host]: { auth } } }));
      return { credentials: { dockerConfig } };
    },
    scheme: 'basic',
  },
  'a client certificate': {
    options: () => ({
      credentials: { username: 'bot', password: secret },
      clientCertificate: client,
    }),
    scheme: 'basic',
  },
};

/** Lets a request through once it has logged in. */
function guarded(a: ScriptedUpstream, scheme: Kind['scheme'], script: Script): Script {
  if (scheme === 'bearer') {
    return behind(`Bearer ${token}`, bearerChallenge(`${a.origin}/token`, scope), script);
  }
  return behind(basicOf(`bot:${secret}`), 'Basic realm="a"', script);
}

/** Ways in which A sends us to B. */
const ways: Readonly<
  Record<string, (a: ScriptedUpstream, b: ScriptedUpstream, scheme: Kind['scheme']) => void>
> = {
  ...Object.fromEntries(
    [301, 302, 303, 307, 308].map((status) => [
      `a redirect with ${status}`,
      (a: ScriptedUpstream, b: ScriptedUpstream, scheme: Kind['scheme']) =>
        a.otherwise(guarded(a, scheme, redirectTo(`${b.origin}/x?signature=1`, status))),
    ]),
  ),
  'a redirect without a scheme'(a, b, scheme) {
    a.otherwise(guarded(a, scheme, redirectTo(`//127.0.0.1:${b.port}/x`)));
  },
  'a redirect by way of itself'(a, b, scheme) {
    a.otherwise(
      guarded(a, scheme, (request) =>
        redirectTo(request.path === '/hop' ? `${b.origin}/x` : '/hop'),
      ),
    );
  },
  'a redirect to B and back and to B'(a, b, scheme) {
    a.otherwise(guarded(a, scheme, redirectTo(`${b.origin}/first`)));
    b.on('* /first', redirectTo(`${a.origin}/second`));
  },
  'a realm of B'(a, b) {
    const challenge = bearerChallenge(`${b.origin}/token`, scope);
    a.otherwise({ status: 401, headers: { 'www-authenticate': challenge } });
  },
  'a realm that redirects to B'(a, b) {
    const challenge = bearerChallenge(`${a.origin}/redirecting`, scope);
    a.otherwise({ status: 401, headers: { 'www-authenticate': challenge } });
    a.on('* /redirecting', redirectTo(`${b.origin}/token`));
  },
  'a next page of B'(a, b, scheme) {
    const link = `<${b.origin}/v2/${path}/tags/list?n=1>; rel="next"`;
    const body = { tags: ['a'], manifests: [] };
    a.otherwise(guarded(a, scheme, jsonAnswer(body, { link })));
  },
  'a redirect before the log-in'(a, b) {
    a.otherwise(redirectTo(`${b.origin}/x`));
  },
};

async function askEverything(source: ContentSource): Promise<void> {
  const calls: readonly (() => Promise<unknown>)[] = [
    () => source.fetchManifest(path, { tag }, signal),
    () => source.resolveTag(path, tag, signal),
    () => source.statBlob(path, digest, signal),
    async () =>
      (await source.openBlob(path, digest, signal))?.stream.on('error', () => 0).destroy(),
    () => source.listTags(path, { limit: 2 }, signal),
    () => source.listReferrers(path, digest, signal),
  ];
  for (const call of calls) await call().catch(() => undefined);
}

function canariesIn(b: ScriptedUpstream): readonly string[] {
  const base64 = Buffer.from(`bot:${secret}`).toString('base64');
  return b.requests.flatMap(({ headers, target, body, clientName }) => {
    const known = new Set(['host', 'connection', 'user-agent', 'accept', 'accept-encoding']);
    const strange = Object.keys(headers).filter((name) => !known.has(name));
    const text = `${JSON.stringify(headers)} ${target} ${body}`;
    if (clientName !== undefined) strange.push(`the client certificate of ${clientName}`);
    return [...strange, ...[secret, token, base64, 'bot'].filter((each) => text.includes(each))];
  });
}

for (const [kind, { options, dependencies, scheme }] of Object.entries(kinds)) {
  for (const [way, script] of Object.entries(ways)) {
    t.test(`${kind} does not reach B by ${way}`, async (t) => {
      const a = await openScriptedUpstream({ tls });
      const b = await openScriptedUpstream({ tls });
      t.teardown(() => Promise.all([a.close(), b.close()]));
      b.otherwise({
        status: 401,
        headers: { 'www-authenticate': 'Basic realm="b"', 'set-cookie': 'x=y' },
      });
      script(a, b, scheme);
      a.on('* /token', jsonAnswer({ token }));
      const { source } = openRemote(
        t,
        a.origin,
        {
          ca: certificate.ca,
          allowPrivate: ['127.0.0.0/8'],
          ...options(t, new URL(a.origin).host),
        },
        dependencies,
      );
      await askEverything(source);
      t.ok(a.requests.length > 0, 'A was asked');
      if (way.startsWith('a redirect')) t.ok(b.requests.length > 0, 'B was asked');
      t.strictSame(canariesIn(b), []);
    });
  }

  t.test(`${kind} reaches A itself`, async (t) => {
    const a = await openScriptedUpstream({ tls });
    t.teardown(() => a.close());
    a.otherwise(guarded(a, scheme, good));
    a.on('* /token', jsonAnswer({ token }));
    const { source } = openRemote(
      t,
      a.origin,
      { ca: certificate.ca, ...options(t, new URL(a.origin).host) },
      dependencies,
    );
    t.ok(await source.fetchManifest(path, { tag }, signal));
    const shown = kind === 'a client certificate' ? 'proxy' : undefined;
    t.equal(a.requests.at(-1)?.clientName, shown);
  });
}
