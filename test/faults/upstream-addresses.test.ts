import t from 'tap';
import { digestOf } from '../../src/oci/digest.ts';
import { buildImage } from '../support/build-image.ts';
import { failureOf, openRemote, path, signal, tag } from '../support/remote-kit.ts';
import {
  bearerChallenge,
  jsonAnswer,
  manifestAnswer,
  redirectTo,
  unauthorized,
} from '../support/scripted-answers.ts';
import { openScriptedUpstream } from '../support/scripted-upstream.ts';
import { makeServerCertificate } from '../support/server-certificate.ts';

const certificate = makeServerCertificate();
const tls = { key: certificate.key, cert: certificate.certificate };
const good = manifestAnswer(buildImage().bytes);
const digest = digestOf(Buffer.from('blob'));
const manifestPath = `/v2/${path}/manifests/${tag}`;
const blobPath = `/v2/${path}/blobs/${digest}`;

/** A resolver whose answers for a name change with each question. */
function makeRebinding(answers: Readonly<Record<string, readonly (readonly string[])[]>>) {
  const asked: string[] = [];
  const resolve = (hostname: string): Promise<readonly string[]> => {
    const before = asked.filter((each) => each === hostname).length;
    asked.push(hostname);
    const script = answers[hostname];
    const addresses = script?.[Math.min(before, script.length - 1)];
    return addresses === undefined
      ? Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }))
      : Promise.resolve(addresses);
  };
  return { asked, resolve };
}

t.test('a host is resolved once for a connection, and connected by that address', async (t) => {
  const upstream = await openScriptedUpstream();
  t.teardown(() => upstream.close());
  upstream.otherwise(good);
  const { asked, resolve } = makeRebinding({ 'registry.internal': [['127.0.0.1']] });
  const url = `http://registry.internal:${upstream.port}`;
  const { source } = openRemote(t, url, {}, { resolve });
  t.ok(await source.fetchManifest(path, { tag }, signal));
  t.strictSame(asked, ['registry.internal']);
  t.equal(upstream.requests[0]?.headers.host, `registry.internal:${upstream.port}`);
});

t.test('the certificate is checked against the name, not the address', async (t) => {
  const upstream = await openScriptedUpstream({ tls });
  t.teardown(() => upstream.close());
  upstream.otherwise(good);
  const { resolve } = makeRebinding({
    localhost: [['127.0.0.1']],
    'other.internal': [['127.0.0.1']],
  });
  const options = { ca: certificate.ca };
  const right = openRemote(t, `https://localhost:${upstream.port}`, options, { resolve });
  t.ok(await right.source.fetchManifest(path, { tag }, signal));
  const wrong = openRemote(t, `https://other.internal:${upstream.port}`, options, { resolve });
  const error = await failureOf(t, wrong.source.fetchManifest(path, { tag }, signal));
  t.equal(error.code, 'UPSTREAM_UNREACHABLE');
});

t.test('an address that does not answer is passed over for the next one', async (t) => {
  const upstream = await openScriptedUpstream();
  t.teardown(() => upstream.close());
  upstream.otherwise(good);
  const { resolve } = makeRebinding({ 'registry.internal': [['::1', '127.0.0.1']] });
  const url = `http://registry.internal:${upstream.port}`;
  const { source } = openRemote(t, url, {}, { resolve });
  t.ok(await source.fetchManifest(path, { tag }, signal));
});

t.test('a storage host that turns to our own network is not reached', async (t) => {
  const upstream = await openScriptedUpstream();
  const inside = await openScriptedUpstream({ tls });
  t.teardown(() => Promise.all([upstream.close(), inside.close()]));
  inside.otherwise({ body: 'blob' });
  const scripts: readonly (readonly (readonly string[])[])[] = [
    [['127.0.0.1']],
    [['93.184.216.34', '127.0.0.1']],
    [['::ffff:127.0.0.1']],
    [['64:ff9b::127.0.0.1']],
    [['::1']],
    [['10.0.0.1']],
    [['169.254.169.254']],
    [['fd00:ec2::254']],
  ];
  for (const script of scripts) {
    const { resolve } = makeRebinding({ localhost: script });
    const { source } = openRemote(t, upstream.origin, { ca: certificate.ca }, { resolve });
    upstream.on(`GET ${blobPath}`, redirectTo(`https://localhost:${inside.port}/blob`));
    const error = await failureOf(t, source.openBlob(path, digest, signal));
    t.equal(error.code, 'UPSTREAM_LEADS_ASTRAY', `${String(script)}: ${error.message}`);
  }
  t.equal(inside.connections, 0);
});

t.test('a name that is public when checked can not be private when dialled', async (t) => {
  const upstream = await openScriptedUpstream();
  const inside = await openScriptedUpstream({ tls });
  t.teardown(() => Promise.all([upstream.close(), inside.close()]));
  // TEST-NET-1 would not do, as it is refused; this one is public, and nobody's in this test.
  const { asked, resolve } = makeRebinding({ localhost: [['192.0.1.1'], ['127.0.0.1']] });
  const { source } = openRemote(
    t,
    upstream.origin,
    { ca: certificate.ca, limits: { connectMs: 100 } },
    { resolve },
  );
  upstream.on(`GET ${blobPath}`, redirectTo(`https://localhost:${inside.port}/blob`));
  const first = await failureOf(t, source.openBlob(path, digest, signal));
  t.ok(['UPSTREAM_TIMEOUT', 'UPSTREAM_UNREACHABLE', 'UPSTREAM_LEADS_ASTRAY'].includes(first.code));
  const second = await failureOf(t, source.openBlob(path, digest, signal));
  t.equal(second.code, 'UPSTREAM_LEADS_ASTRAY');
  t.ok(asked.length >= 2, 'each connection is checked by its own look-up');
  t.equal(inside.connections, 0);
});

t.test('a token realm that turns to our own network is not reached', async (t) => {
  const upstream = await openScriptedUpstream({ tls });
  const inside = await openScriptedUpstream({ tls });
  t.teardown(() => Promise.all([upstream.close(), inside.close()]));
  inside.otherwise(jsonAnswer({ token: 'x' }));
  const { resolve } = makeRebinding({
    'registry.localhost.example': [['127.0.0.1']],
    'auth.example': [['127.0.0.1']],
  });
  const { source } = openRemote(
    t,
    upstream.origin,
    {
      ca: certificate.ca,
      realmAllow: [`auth.example:${inside.port}`],
      credentials: { username: 'bot', password: 'secret' },
    },
    { resolve },
  );
  const realm = `https://auth.example:${inside.port}/token`;
  upstream.otherwise(unauthorized(bearerChallenge(realm, `repository:${path}:pull`)));
  const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
  t.equal(error.code, 'UPSTREAM_LEADS_ASTRAY');
  t.match(error.message, /"auth\.example" is at 127\.0\.0\.1/);
  t.equal(inside.connections, 0);
});

t.test("an upstream's own host on another port is named by others", async (t) => {
  const upstream = await openScriptedUpstream();
  const other = await openScriptedUpstream({ tls });
  t.teardown(() => Promise.all([upstream.close(), other.close()]));
  upstream.on(`GET ${manifestPath}`, redirectTo(`https://127.0.0.1:${other.port}/`));
  const { source } = openRemote(t, upstream.origin, { ca: certificate.ca });
  const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
  t.equal(error.code, 'UPSTREAM_LEADS_ASTRAY');
  t.equal(other.connections, 0);
});

t.test('an upstream that is ourselves is refused', async (t) => {
  const upstream = await openScriptedUpstream();
  t.teardown(() => upstream.close());
  const ownListeners = () => [{ host: '127.0.0.1', port: upstream.port }];
  const { source } = openRemote(t, upstream.origin, { ownListeners });
  const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
  t.equal(error.code, 'UPSTREAM_LEADS_ASTRAY');
  t.match(error.message, /where we listen ourselves/);
  t.equal(upstream.connections, 0);
});
