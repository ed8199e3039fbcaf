import { join } from 'node:path';
import { inspect } from 'node:util';
import t, { type Test } from 'tap';
import { ConfigError } from '../../../src/config/config-error.ts';
import { loadConfig, readConfig } from '../../../src/config/load.ts';

const minimal = `upstreams:
  docker.io: { url: https://registry-1.docker.io }
trustPolicy: ./trust-policy.yaml
`;

function read(text: string, environment = {}) {
  return readConfig(text, 'assay.yaml', { folder: '/etc/assay', environment });
}

async function problemsOf(t: Test, text: string, environment = {}): Promise<readonly string[]> {
  try {
    await read(text, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.messages;
    throw error;
  }
  t.fail('the configuration was taken');
  return [];
}

t.test('a few lines are enough, and the rest has defaults', async (t) => {
  t.match(await read(minimal), {
    listen: { host: '127.0.0.1', port: 5000 },
    admin: { host: '127.0.0.1', port: 5001 },
    workers: 1,
    upstreams: { 'docker.io': { url: 'https://registry-1.docker.io' } },
    trustPolicy: '/etc/assay/trust-policy.yaml',
    trust: { store: '/etc/assay/trust', offline: false },
    storage: { path: '/etc/assay/data', scrub: { rate: { bytes: 5 * 1024 ** 2 } } },
    lifetimes: {
      tag: { ms: 60_000 },
      trusted: { ms: 86_400_000 },
      untrusted: { ms: 10_000 },
      staleTag: { ms: 3_600_000 },
    },
    egress: { allowPrivate: [] },
    access: { anonymous: 'pull' },
  });
});

t.test('what is optional and not there is not there', async (t) => {
  const config = await read(minimal);
  for (const key of ['publicUrl', 'defaultUpstream', 'state'] as const) t.notOk(key in config, key);
  t.notOk('tls' in config.listen);
  t.notOk('maxBytes' in config.storage);
});

t.test('every key of this version is read', async (t) => {
  const folder = t.testdir({
    'state.key': `${'k'.repeat(64)}\n`,
    'old.key': 'o'.repeat(32),
    'password.txt': 'hunter2\r\n',
    'assay.yaml': `
listen: { host: 0.0.0.0, port: 443, tls: { certificate: tls.crt, key: tls.key, clientCa: ca.pem } }
admin: { host: 10.0.0.1, port: "\${ADMIN_PORT}" }
publicUrl: https://proxy.example/assay/
workers: 1
upstreams:
  docker.io:
    url: https://registry-1.docker.io
    credentials: { username: bot, password: "\${TOKEN}" }
    ca: ca.pem
    clientCertificate: { certificate: c.crt, key: c.key }
    httpProxy: http://proxy:3128
    realmAllow: [auth.docker.io, "localhost:5001"]
  ghcr.io: { url: https://ghcr.io, credentials: { username: bot, password: { file: password.txt } } }
  quay.io: { url: https://quay.io, credentials: { dockerConfig: docker.json } }
  gcr.io: { url: https://gcr.io, credentials: { credentialHelper: gcloud } }
  lab: { url: http://127.0.0.1:5555, plainHttp: allowed }
  localhost:5000: { url: https://localhost:5000 }
  demo: { layout: ./demo }
hosts: { hub.proxy.example: docker.io }
defaultUpstream: docker.io
trustPolicy: /etc/policy.yaml
trust: { store: ../trust, offline: true }
storage: { path: /var/lib/assay, maxBytes: 50 GiB, scrub: { rate: 0 B } }
state: { keys: [{ file: state.key }, { file: old.key }] }
lifetimes: { tag: 0s, trusted: 1h, untrusted: 1s, staleTag: 2d }
egress: { allowPrivate: [10.0.0.0/8, "fd00::/8"] }
access: { anonymous: pull }
`,
  });
  const environment = { TOKEN: 's3cret', ADMIN_PORT: '9000' };
  const config = await loadConfig(join(folder, 'assay.yaml'), { environment });
  const inFolder = (name: string) => join(folder, name);
  t.match(config, {
    listen: {
      port: 443,
      tls: {
        certificate: inFolder('tls.crt'),
        key: inFolder('tls.key'),
        clientCa: inFolder('ca.pem'),
      },
    },
    admin: { port: 9000 },
    publicUrl: 'https://proxy.example/assay',
    upstreams: {
      'docker.io': {
        ca: inFolder('ca.pem'),
        clientCertificate: { certificate: inFolder('c.crt'), key: inFolder('c.key') },
        httpProxy: 'http://proxy:3128',
        realmAllow: ['auth.docker.io', 'localhost:5001'],
      },
      'quay.io': { credentials: { dockerConfig: inFolder('docker.json') } },
      'gcr.io': { credentials: { credentialHelper: 'gcloud' } },
      lab: { url: 'http://127.0.0.1:5555', plainHttp: 'allowed' },
      demo: { layout: inFolder('demo') },
    },
    hosts: { 'hub.proxy.example': 'docker.io' },
    defaultUpstream: 'docker.io',
    trust: { store: join(folder, '../trust'), offline: true },
    storage: {
      path: '/var/lib/assay',
      maxBytes: { bytes: 50 * 1024 ** 3 },
      scrub: { rate: { bytes: 0 } },
    },
    lifetimes: { tag: { ms: 0 }, staleTag: { ms: 172_800_000 } },
    egress: { allowPrivate: ['10.0.0.0/8', 'fd00::/8'] },
  });
  const hub = config.upstreams['docker.io'];
  const ghcr = config.upstreams['ghcr.io'];
  const passwords = [hub, ghcr].map((upstream) => {
    const credentials = upstream && 'url' in upstream ? upstream.credentials : undefined;
    return credentials && 'password' in credentials ? credentials.password.reveal() : undefined;
  });
  t.same(passwords, ['s3cret', 'hunter2']);
  t.same(
    config.state?.keys.map((key) => key.reveal()),
    ['k'.repeat(64), 'o'.repeat(32)],
  );
  for (const shown of [JSON.stringify(config), inspect(config, { depth: null })]) {
    t.notMatch(shown, /s3cret|hunter2|kkkk|oooo/, 'no secret is printed with the configuration');
  }
});

t.test('all that is wrong is reported at once, in order, with line, column and path', async (t) => {
  const text = `listen: { port: 70000, hots: x }
workers: many
upstreams:
  docker.io: { url: http://registry-1.docker.io }
  D/E: { layout: ./demo }
  ghcr.io: { url: "https://bot:hunter2@ghcr.io" }
listen: 1
redis: { url: x }
hosts: { a.example: nowhere }
lifetimes: { tag: "\${UNSET}" }
`;
  t.same(await problemsOf(t, text), [
    'assay.yaml:1:1: trustPolicy is missing',
    'assay.yaml:1:17: listen.port: must be a port from 0 to 65535 (0 takes any free one)',
    'assay.yaml:1:24: listen.hots: is not a known key; known are host, port, tls, trustedProxies',
    'assay.yaml:2:10: workers: must be auto or a number from 1 to 256',
    'assay.yaml:4:16: upstreams["docker.io"].url: is http: write https, or say plainHttp: allowed beside it',
    'assay.yaml:5:3: upstreams["D/E"]: is no key for an upstream: write a registry as docker.io, or a plain name as demo',
    'assay.yaml:6:19: upstreams["ghcr.io"].url: must be a URL of only scheme, host and port, such as https://registry.example',
    'assay.yaml:7:1: listen: stands twice: it is on line 1 already',
    'assay.yaml:8:1: redis: needs state.keys, which seal what replicas share: make one with `openssl rand -hex 32` and give it to every replica',
    'assay.yaml:8:15: redis.url: must be rediss://HOST[:PORT][/DATABASE], or redis:// without TLS; user and password have keys of their own',
    'assay.yaml:9:10: hosts["a.example"]: is no upstream; upstreams are docker.io, D/E, ghcr.io',
    'assay.yaml:10:19: lifetimes.tag: needs the environment variable UNSET, which is not set',
  ]);
});

const later = ['airgap: { expired: deny }'];

for (const line of later) {
  t.test(`what comes in a later version is refused by name: ${line}`, async (t) => {
    t.match(await problemsOf(t, `${minimal}${line}\n`), [/: is not supported by this version/]);
  });
}

const wrong = [
  { what: 'no workers', line: 'workers: 0', message: /workers: must be auto or a number/ },
  { what: 'half a worker', line: 'workers: 1.5', message: /workers: must be auto or a number/ },
  { what: 'too many workers', line: 'workers: 257', message: /from 1 to 256/ },
  { what: 'a htpasswd file', line: 'access: { htpasswd: x }', message: /not supported by this/ },
  { what: 'a list for a mapping', line: 'listen: []', message: /listen: must be a mapping/ },
  { what: 'nothing for a mapping', line: 'trust:', message: /trust: must be a mapping/ },
  { what: 'a mapping for a list', line: 'egress: { allowPrivate: {} }', message: /must be a list/ },
  { what: 'a mapping for a text', line: 'publicUrl: {}', message: /publicUrl: must be an http/ },
  { what: 'three state keys', line: 'state: { keys: [a, b, c] }', message: /1 to 2 items/ },
  { what: 'no state key', line: 'state: { keys: [] }', message: /1 to 2 items/ },
  { what: 'a number as a key', line: '5: x', message: /key must be text/ },
];

for (const { what, line, message } of wrong) {
  t.test(`refused: ${what}`, async (t) => {
    const key = line.slice(0, line.indexOf(':'));
    const kept = minimal.split('\n').filter((other) => !other.startsWith(`${key}:`));
    t.match(await problemsOf(t, `${kept.join('\n')}${line}\n`), [message]);
  });
}

t.test('upstreams must be there, and not be empty', async (t) => {
  const without = minimal.replace(/upstreams:\n.*\n/, '');
  t.match(await problemsOf(t, without), [/upstreams: is missing, and there is no airgap/]);
  const empty = await problemsOf(t, `upstreams: {}\n${without}`);
  t.match(empty, [/upstreams: is missing/, /upstreams: must not be empty/]);
  t.match(await read(`airgap: { store: store }\n${without}`), { upstreams: {} });
});

t.test('text that is no YAML, or no mapping, is refused', async (t) => {
  t.match(await problemsOf(t, 'a: "'), [/^assay.yaml:\d+:\d+: the YAML does not parse/]);
  t.match(await problemsOf(t, ''), [/must be a mapping/]);
  t.match(await problemsOf(t, '- a'), [/must be a mapping/]);
});

t.test('no problem repeats a value, which may be a secret in the wrong line', async (t) => {
  const lines = ['publicUrl: hunter2', 'workers: hunter2', 'lifetimes: { tag: "${TOKEN}" }'];
  const messages = await problemsOf(t, `${minimal}${lines.join('\n')}\n`, { TOKEN: 'hunter2' });
  t.equal(messages.length, 3);
  t.notMatch(messages.join('\n'), /hunter2/);
});

t.test('keys are not expanded', async (t) => {
  const text = `${minimal}hosts: { "\${HOST}": docker.io }\n`;
  t.match(await problemsOf(t, text, { HOST: 'a.example' }), [/is no host name/]);
});

t.test('__proto__ as an upstream pollutes nothing and is refused', async (t) => {
  const text = minimal.replace('docker.io', '__proto__');
  t.match(await problemsOf(t, text), [/__proto__: is no key for an upstream/]);
  t.equal(({} as { url?: string }).url, undefined);
});

t.test(
  'a file that is not there, a folder and one that is too large can not be read',
  async (t) => {
    const folder = t.testdir({ 'large.yaml': '#'.repeat(1024 * 1024 + 1) });
    for (const file of ['absent.yaml', '.', 'large.yaml']) {
      await t.rejects(loadConfig(join(folder, file)), { code: 'CONFIG_UNREADABLE' });
    }
  },
);

t.test('the variables are those of the process unless told', async (t) => {
  const folder = t.testdir({ 'assay.yaml': `${minimal}publicUrl: "\${ASSAY_TEST_UNSET}"\n` });
  await t.rejects(loadConfig(join(folder, 'assay.yaml')), /ASSAY_TEST_UNSET, which is not set/);
});

t.test('a Sigstore root is a word, a file or a TUF repository', async (t) => {
  const roots =
    '{ a: public-good, b: { file: r.json }, c: { tuf: { url: https://t, root: t.json } } }';
  const text = `${minimal}trust: { sigstore: { root: public-good, roots: ${roots} } }\n`;
  t.same((await read(text)).trust.sigstore, {
    root: 'public-good',
    roots: {
      a: 'public-good',
      b: { file: '/etc/assay/r.json' },
      c: { tuf: { url: 'https://t', root: '/etc/assay/t.json' } },
    },
  });
  for (const wrong of [
    'another',
    '[]',
    '{ file: a, tuf: { url: https://t, root: r } }',
    '{ tuf: {} }',
  ]) {
    const given = `${minimal}trust: { sigstore: { root: ${wrong} } }\n`;
    t.match(await problemsOf(t, given), [/trust\.sigstore\.root/], wrong);
  }
});
