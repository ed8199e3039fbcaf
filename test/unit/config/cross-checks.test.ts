import t from 'tap';
import { checkAcross, type PartialConfig } from '../../../src/config/cross-checks.ts';
import { makeSecret } from '../../../src/config/redact.ts';

function complaintsOf(config: PartialConfig): readonly string[] {
  const complaints: string[] = [];
  checkAcross(config, (path, message) => complaints.push(`${path}: ${message}`));
  return complaints;
}

const layout = { layout: '/demo' };
const url = 'https://a.example';

for (const key of ['docker.io', 'demo', 'my_registry', 'a--b', 'localhost:5000']) {
  t.test(`${key} is a key for an upstream`, async (t) => {
    t.same(complaintsOf({ upstreams: { [key]: layout } }), []);
  });
}

for (const key of ['Docker.io', 'a/b', '', 'a:b', 'a:70000', 'a:1:2', '-a', 'a b', '..', '*']) {
  t.test(`${JSON.stringify(key)} is none`, async (t) => {
    t.match(complaintsOf({ upstreams: { [key]: layout } }), [/is no key for an upstream/]);
  });
}

t.test('http needs to be allowed by name, and https needs no allowance', async (t) => {
  const http = 'http://a.example';
  t.match(complaintsOf({ upstreams: { a: { url: http } } }), [/^upstreams.a.url: is http/]);
  t.same(complaintsOf({ upstreams: { a: { url: http, plainHttp: 'allowed' } } }), []);
  t.match(complaintsOf({ upstreams: { a: { url, plainHttp: 'allowed' } } }), [/plainHttp: has no/]);
});

t.test('TLS settings beside an http url are a mistake', async (t) => {
  const upstream = {
    url: 'http://a.example',
    plainHttp: 'allowed',
    ca: '/ca.pem',
    clientCertificate: { certificate: '/c', key: '/k' },
  } as const;
  t.match(complaintsOf({ upstreams: { a: upstream } }), [/a.ca: has no/, /clientCertificate: has/]);
  t.same(complaintsOf({ upstreams: { a: { ...upstream, url, plainHttp: undefined } } }), []);
});

t.test('hosts and defaultUpstream must name an upstream', async (t) => {
  const upstreams = { a: layout };
  t.same(complaintsOf({ upstreams, hosts: { 'h.example': 'a' }, defaultUpstream: 'a' }), []);
  t.match(complaintsOf({ upstreams, hosts: { 'h.example': 'b' }, defaultUpstream: 'c' }), [
    /^hosts\["h.example"\]: is no upstream; upstreams are a$/,
    /^defaultUpstream: is no upstream/,
  ]);
});

for (const host of ['H.example', 'h.example:443', 'a..b', '-a.b', '', 'a_b']) {
  t.test(`${JSON.stringify(host)} is no host name of ours`, async (t) => {
    const config = { upstreams: { a: layout }, hosts: { [host]: 'a' } };
    t.match(complaintsOf(config), [/is no host name/]);
  });
}

t.test('the admin API does not share the public listener', async (t) => {
  const listen = { host: '127.0.0.1', port: 5000 };
  t.match(complaintsOf({ listen, admin: listen }), [/admin.port: is the port that listen has/]);
  t.same(complaintsOf({ listen, admin: { host: '10.0.0.1', port: 5000 } }), []);
  t.same(complaintsOf({ listen, admin: { host: '127.0.0.1', port: 5001 } }), []);
  const any = { host: '127.0.0.1', port: 0 };
  t.same(complaintsOf({ listen: any, admin: any }), []);
});

t.test('a state key is long enough and stands once', async (t) => {
  const key = makeSecret('k'.repeat(32));
  t.same(complaintsOf({ state: { keys: [key] } }), []);
  t.match(complaintsOf({ state: { keys: [makeSecret('k'.repeat(31))] } }), [/fewer than 32/]);
  t.match(complaintsOf({ state: { keys: [key, makeSecret('k'.repeat(32))] } }), [/same key twice/]);
});

t.test('parts that could not be read bring no further complaints', async (t) => {
  t.same(complaintsOf({}), []);
  const upstreams = { a: undefined, b: { url: undefined } };
  const config = { upstreams, hosts: { h: undefined }, state: { keys: [undefined] } };
  t.same(complaintsOf({ ...config, listen: { port: undefined }, admin: { port: 1 } }), []);
});

const plugin = { path: '/p', sha256: 'a'.repeat(64), timeout: { ms: 5000 } };

t.test('a plugin has a name, and a time within that of an answer', async (t) => {
  const complaints = (plugins: Record<string, typeof plugin>) =>
    complaintsOf({ trust: { plugins } });
  t.same(complaints({ 'com.example.plugin': plugin }), []);
  t.match(complaints({ 'a/b': plugin }), [/^trust\.plugins.*a\/b.*: is no name/]);
  const at = (ms: number) => complaints({ a: { ...plugin, timeout: { ms } } });
  t.same([at(1), at(15_000)], [[], []]);
  for (const ms of [0, 15_001]) t.match(at(ms), [/^trust\.plugins\.a\.timeout: must be from 1ms/]);
});

t.test('a plugin beside offline is a mistake', async (t) => {
  const of = (offline: boolean) => complaintsOf({ trust: { offline, plugins: { a: plugin } } });
  t.same(of(false), []);
  t.match(of(true), [/^trust\.plugins: may open sockets/]);
  t.same(complaintsOf({ trust: { offline: true, plugins: {} } }), []);
});

const sigstore = (given: object): readonly string[] => complaintsOf({ trust: { sigstore: given } });

t.test('Sigstore roots have names, and the one without is `root`', async (t) => {
  const file = { file: '/trusted_root.json' };
  t.same(sigstore({ root: 'public-good', roots: { acme: file } }), []);
  t.same(sigstore({ roots: { acme: file } }), []);
  t.same(sigstore({ roots: {} }), ['trust.sigstore: has no root']);
  t.match(sigstore({ roots: { 'a/b': file } }), [/roots.*a\/b.*: is no name of letters/]);
  t.match(sigstore({ roots: { default: file } }), [
    /^trust.sigstore.roots.default: is what `root`/,
  ]);
});

t.test('a TUF repository is reached by https unless http is permitted', async (t) => {
  const tuf = { url: 'http://tuf.test/a', root: '/root.json' };
  t.match(sigstore({ root: { tuf } }), [/^trust.sigstore.root.tuf.url: is http/]);
  t.match(sigstore({ roots: { acme: { tuf } } }), [/^trust.sigstore.roots.acme.tuf.url: is http/]);
  t.same(sigstore({ root: { tuf: { ...tuf, plainHttp: 'allowed' } } }), []);
  const https = { ...tuf, url: 'https://tuf.test/a' };
  t.same(sigstore({ root: { tuf: https } }), []);
  t.match(sigstore({ root: { tuf: { ...https, plainHttp: 'allowed' } } }), [/plainHttp: has no/]);
});

t.test('a repository of signatures is a path, or makes one of the own', async (t) => {
  const of = (signatureRepository: string) =>
    complaintsOf({ upstreams: { lab: { layout: './lab', signatureRepository } } });
  for (const good of [
    'signatures',
    'team/signatures',
    'signatures/{repository}',
    '{repository}-s',
  ]) {
    t.same(of(good), [], good);
  }
  for (const bad of ['/signatures', 'a//b', 'signatures/', '{repository}.', '-{repository}']) {
    t.match(of(bad), [/^upstreams\.lab\.signatureRepository: makes no repository path/], bad);
  }
});

t.test('what replicas share is sealed by keys that they share', async (t) => {
  const redis = { url: 'redis://r', keyPrefix: 'assay' };
  t.match(complaintsOf({ redis }), [/^redis: needs state.keys.*openssl rand -hex 32/]);
  const state = { keys: [makeSecret('k'.repeat(32))] };
  t.same(complaintsOf({ redis, state }), []);
  t.match(complaintsOf({ redis: { ...redis, tls: {} }, state }), [/^redis.tls: has no meaning/]);
  t.same(complaintsOf({ redis: { ...redis, url: 'rediss://r', tls: {} }, state }), []);
  t.same(complaintsOf({ redis: { cluster: { addresses: ['a'] }, tls: {} }, state }), []);
});

t.test('S3 over http needs to be allowed by name, and has no CA', async (t) => {
  const secret = makeSecret('x');
  const s3 = {
    endpoint: 'http://s3.example',
    region: 'us-east-1',
    bucket: 'content',
    credentials: { accessKeyId: secret, secretAccessKey: secret },
  };
  const plain = { ...s3, plainHttp: 'allowed' } as const;
  t.match(complaintsOf({ storage: { s3 } }), [/^storage.s3.endpoint: is http: write https/]);
  t.same(complaintsOf({ storage: { s3: plain } }), []);
  t.match(complaintsOf({ storage: { s3: { ...plain, ca: '/ca.pem' } } }), [/s3.ca: has no/]);
  const tls = { ...plain, endpoint: 'https://s3.example' };
  t.match(complaintsOf({ storage: { s3: tls } }), [/plainHttp: has no .* https endpoint/]);
  const publicEndpoint = 'https://s3.example';
  t.match(complaintsOf({ storage: { s3: { ...plain, publicEndpoint } } }), [
    /^storage.s3.publicEndpoint: has no meaning without/,
  ]);
  const sending = { ...plain, publicEndpoint, redirects: 'verified' } as const;
  t.same(complaintsOf({ storage: { s3: sending } }), []);
});

t.test('whoever hashes what it sends lets nobody else send it', async (t) => {
  const s3 = { endpoint: 'https://s3.example', redirects: 'verified' } as const;
  const storage = { accelLocation: '/stored/', s3 };
  t.same(complaintsOf({ storage: { ...storage, verifyOnRead: 'never' } }), []);
  t.match(complaintsOf({ storage: { ...storage, verifyOnRead: 'always' } }), [
    /^storage.accelLocation: sends blobs past/,
    /^storage.s3.redirects: sends blobs past/,
  ]);
});

t.test('stored content is sent by a proxy of ours alone', async (t) => {
  const storage = { accelLocation: '/stored/' };
  t.match(complaintsOf({ storage, listen: { trustedProxies: [] } }), [
    /^storage.accelLocation: needs the address of that nginx in `listen.trustedProxies`/,
  ]);
  t.same(complaintsOf({ storage, listen: { trustedProxies: ['127.0.0.1/32'] } }), []);
});

t.test('metadata of bundles last between an hour and ten years', async (t) => {
  const about = (ms: number): readonly string[] =>
    complaintsOf({ airgap: { validity: { timestamp: { ms } } } });
  const [hourMs, dayMs] = [3_600_000, 86_400_000];
  for (const ms of [hourMs, 90 * dayMs, 3650 * dayMs]) t.same(about(ms), []);
  for (const ms of [0, hourMs - 1, 3650 * dayMs + 1]) {
    t.same(about(ms), ['airgap.validity.timestamp: is not between 1h and 3650d']);
  }
});
