import { createServer, type AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { digestOf } from '../../src/oci/digest.ts';
import type { ContentSource } from '../../src/upstream/content-source.ts';
import { makeServerCertificate } from '../support/server-certificate.ts';
import { buildImage } from '../support/build-image.ts';
import { failureOf, openRemote, openRemoteKit, path, signal, tag } from '../support/remote-kit.ts';
import { manifestAnswer, redirectTo } from '../support/scripted-answers.ts';
import { openScriptedUpstream } from '../support/scripted-upstream.ts';

const image = buildImage();
const good = manifestAnswer(image.bytes);
const manifestPath = `/v2/${path}/manifests/${tag}`;
const bytes = Buffer.from('a blob');
const digest = digestOf(bytes);
const blobPath = `/v2/${path}/blobs/${digest}`;
const certificate = makeServerCertificate();
const tls = { key: certificate.key, cert: certificate.certificate };

/** A listener that counts who connects, and never answers. */
async function openTrap(t: Test) {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections;
    },
  };
}

/** Everything that follows redirects, each through its own path of the code. */
const calls: Readonly<Record<string, (source: ContentSource) => Promise<unknown>>> = {
  'a manifest': (source) => source.fetchManifest(path, { tag }, signal),
  'a HEAD of a manifest': (source) => source.resolveTag(path, tag, signal),
  'a blob': (source) => source.openBlob(path, digest, signal),
  'a HEAD of a blob': (source) => source.statBlob(path, digest, signal),
  tags: (source) => source.listTags(path, { limit: 10 }, signal),
  referrers: (source) => source.listReferrers(path, digest, signal),
};

for (const status of [301, 302, 303, 307, 308]) {
  t.test(`${status} to a relative Location is followed on the same origin`, async (t) => {
    const { upstream, source } = await openRemoteKit(t);
    upstream.on(`GET ${manifestPath}`, redirectTo('../../../elsewhere?x=1', status));
    upstream.on('GET /v2/elsewhere', good);
    const manifest = await source.fetchManifest(path, { tag }, signal);
    t.equal(manifest?.digest, image.descriptor.digest);
    t.strictSame(
      upstream.requests.map(({ target }) => target),
      [manifestPath, '/v2/elsewhere?x=1'],
    );
  });
}

t.test('five hops are followed, the sixth is not', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  for (let hop = 1; hop <= 6; hop += 1)
    upstream.on(`GET /hop/${hop}`, redirectTo(`/hop/${hop + 1}`));
  upstream.on(`GET ${blobPath}`, redirectTo('/hop/2'));
  upstream.on('GET /hop/6', { body: bytes });
  const blob = await source.openBlob(path, digest, signal);
  t.ok(blob && (await buffer(blob.stream)).equals(bytes));
  upstream.on(`GET ${blobPath}`, redirectTo('/hop/1'));
  const error = await failureOf(t, source.openBlob(path, digest, signal));
  t.equal(error.code, 'UPSTREAM_LEADS_ASTRAY');
  t.match(error.message, /more than 5 times/);
});

t.test('a redirect to itself ends after five hops', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.on(`GET ${manifestPath}`, redirectTo(manifestPath));
  const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
  t.equal(error.code, 'UPSTREAM_LEADS_ASTRAY');
  t.equal(upstream.requests.length, 6);
});

for (const [name, call] of Object.entries(calls)) {
  t.test(`${name} is never fetched from where a redirect must not lead`, async (t) => {
    const trap = await openTrap(t);
    const { port } = trap;
    const locations = [
      `//127.0.0.1:${port}/x`,
      `http://127.0.0.1:${port}/x`,
      `https://127.0.0.1:${port}/x`,
      `https://localhost:${port}/x`,
      `https://[::1]:${port}/x`,
      `https://[::ffff:127.0.0.1]:${port}/x`,
      `https://[64:ff9b::7f00:1]:${port}/x`,
      `https://0.0.0.0:${port}/x`,
      `https://0x7f.1:${port}/x`,
      `https://2130706433:${port}/x`,
      `https://127.0.0.1.:${port}/x`,
      `https://user:secret@127.0.0.1:${port}/x`,
      `https:\\\\127.0.0.1:${port}\\x`,
      `https://169.254.169.254/latest/meta-data`,
      'ftp://127.0.0.1/x',
      'file:///etc/passwd',
      '',
    ];
    for (const location of locations) {
      const { upstream, source } = await openRemoteKit(t);
      upstream.otherwise(redirectTo(location));
      const error = await failureOf(t, call(source));
      t.equal(error.code, 'UPSTREAM_LEADS_ASTRAY', `${location}: ${error.message}`);
      t.notMatch(error.message, /secret/);
    }
    t.equal(trap.connections, 0, 'nobody connected');
  });
}

t.test('a redirect without a Location, or with two, is refused', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.on(`GET ${manifestPath}`, { status: 307 });
  t.equal(
    (await failureOf(t, source.fetchManifest(path, { tag }, signal))).code,
    'UPSTREAM_LEADS_ASTRAY',
  );
  upstream.on(`GET ${manifestPath}`, {
    raw: 'HTTP/1.1 307 x\r\nLocation: /a\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n',
  });
  t.equal(
    (await failureOf(t, source.fetchManifest(path, { tag }, signal))).code,
    'UPSTREAM_MISBEHAVED',
  );
});

t.test('a Location cannot bring a header line with it', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.on(`GET ${manifestPath}`, {
    raw: 'HTTP/1.1 307 x\r\nLocation: /a%0d%0aX-Evil:%20y\r\nContent-Length: 0\r\n\r\n',
  });
  await source.fetchManifest(path, { tag }, signal);
  t.equal(upstream.requests.at(-1)?.target, '/a%0d%0aX-Evil:%20y');
  t.notOk(upstream.requests.some(({ headers }) => 'x-evil' in headers));
});

t.test('https to an allowed private network is followed', async (t) => {
  const storage = await openScriptedUpstream({ tls });
  t.teardown(() => storage.close());
  storage.on('GET /bucket/blob', { body: bytes });
  const options = { allowPrivate: ['127.0.0.1/32'], ca: certificate.ca };
  const { upstream, source } = await openRemoteKit(t, options);
  upstream.on(`GET ${blobPath}`, redirectTo(`${storage.origin}/bucket/blob?signature=x`));
  const blob = await source.openBlob(path, digest, signal);
  t.ok(blob && (await buffer(blob.stream)).equals(bytes));
  t.equal(storage.requests[0]?.target, '/bucket/blob?signature=x');
});

t.test('https may not lead back to plain http', async (t) => {
  const plain = await openScriptedUpstream();
  const upstream = await openScriptedUpstream({ tls });
  t.teardown(() => Promise.all([plain.close(), upstream.close()]));
  const options = { allowPrivate: ['127.0.0.0/8'], ca: certificate.ca };
  const { source } = openRemote(t, upstream.origin, options);
  for (const location of [`${plain.origin}/x`, upstream.origin.replace('https', 'http')]) {
    upstream.on(`GET ${manifestPath}`, redirectTo(location));
    const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
    t.equal(error.code, 'UPSTREAM_LEADS_ASTRAY');
  }
  t.equal(plain.connections, 0);
});

t.test(
  'our own listeners are never dialled, even where private networks are allowed',
  async (t) => {
    const trap = await openTrap(t);
    const { upstream, source } = await openRemoteKit(t, {
      allowPrivate: ['127.0.0.0/8'],
      ownListeners: () => [{ host: '0.0.0.0', port: trap.port }],
    });
    upstream.on(`GET ${manifestPath}`, redirectTo(`https://127.0.0.1:${trap.port}/v2/`));
    const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
    t.equal(error.code, 'UPSTREAM_LEADS_ASTRAY');
    t.equal(trap.connections, 0);
  },
);

t.test('the challenge of another origin is not answered', async (t) => {
  const storage = await openScriptedUpstream({ tls });
  t.teardown(() => storage.close());
  storage.otherwise({
    status: 401,
    headers: { 'www-authenticate': `Bearer realm="${storage.origin}/token"` },
  });
  const { upstream, source } = await openRemoteKit(t, {
    allowPrivate: ['127.0.0.0/8'],
    ca: certificate.ca,
    credentials: { username: 'bot', password: 'secret' },
  });
  upstream.on(`GET ${blobPath}`, redirectTo(`${storage.origin}/blob`));
  const error = await failureOf(t, source.openBlob(path, digest, signal));
  t.equal(error.code, 'UPSTREAM_UNAUTHORIZED');
  t.strictSame(
    storage.requests.map(({ path }) => path),
    ['/blob'],
  );
});
