import t from 'tap';
import { helperServerOf, readDockerConfig } from '../../../../src/upstream/auth/docker-config.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const read = (document: unknown, host = 'ghcr.io') =>
  readDockerConfig(Buffer.from(JSON.stringify(document)), host);
const password = (username: string, secret: string) => ({
  credential: { kind: 'password', username, secret },
});

t.test('a host that is not in the file has no credentials', async (t) => {
  t.equal(read({}), undefined);
  t.equal(read({ auths: {} }), undefined);
  t.equal(read({ auths: { 'ghcr.io': {} } }), undefined);
  t.equal(read({ auths: { 'evil.ghcr.io': { auth: base64('a:b') } } }), undefined);
  t.equal(read({ auths: { 'ghcr.io.evil': { auth: base64('a:b') } } }), undefined);
});

for (const key of [
  'ghcr.io',
  'https://ghcr.io',
  'https://ghcr.io/',
  'http://ghcr.io/v2/',
  'ghcr.io/v2',
]) {
  t.test(`auths under ${key} are for the host`, async (t) => {
    t.strictSame(
      read({ auths: { [key]: { auth: base64('bot:s3:cret') } } }),
      password('bot', 's3:cret'),
    );
  });
}

t.test('the port is a part of the host', async (t) => {
  const auths = { 'lab:5000': { auth: base64('a:b') } };
  t.equal(read({ auths }, 'lab'), undefined);
  t.strictSame(read({ auths }, 'lab:5000'), password('a', 'b'));
});

t.test("Docker Hub's key is what docker login writes", async (t) => {
  const auths = { 'https://index.docker.io/v1/': { auth: base64('a:b') } };
  t.strictSame(read({ auths }, 'registry-1.docker.io'), password('a', 'b'));
  t.equal(helperServerOf('registry-1.docker.io'), 'https://index.docker.io/v1/');
  t.equal(helperServerOf('ghcr.io'), 'ghcr.io');
});

t.test('username and password may stand apart', async (t) => {
  const auths = { 'ghcr.io': { username: 'bot', password: 'x' } };
  t.strictSame(read({ auths }), password('bot', 'x'));
});

t.test('an identity token goes before the password', async (t) => {
  const auths = { 'ghcr.io': { auth: base64('bot:'), identitytoken: 'refresh' } };
  t.strictSame(read({ auths }), {
    credential: { kind: 'identity-token', username: 'bot', secret: 'refresh' },
  });
});

t.test("the host's helper goes before auths, and auths before the store", async (t) => {
  const credHelpers = { 'ghcr.io': 'gh' };
  const auths = { 'ghcr.io': { auth: base64('a:b') } };
  const credsStore = 'pass';
  t.strictSame(read({ credHelpers, auths, credsStore }), { helper: 'gh', server: 'ghcr.io' });
  t.strictSame(read({ auths, credsStore }), password('a', 'b'));
  t.strictSame(read({ auths: { 'ghcr.io': {} }, credsStore }), {
    helper: 'pass',
    server: 'ghcr.io',
  });
});

t.test('a helper is asked for Docker Hub by its own name', async (t) => {
  t.strictSame(read({ credsStore: 'pass' }, 'registry-1.docker.io'), {
    helper: 'pass',
    server: 'https://index.docker.io/v1/',
  });
  t.strictSame(read({ credHelpers: { 'docker.io': 'x' } }, 'registry-1.docker.io'), {
    helper: 'x',
    server: 'docker.io',
  });
});

t.test('a file that is no JSON object is an error without its text', async (t) => {
  for (const text of ['', '[]', 'secret', '{"auths":{"a":{"auth":"secret"}', '{"a":1,"a":2}']) {
    try {
      readDockerConfig(Buffer.from(text), 'ghcr.io');
      t.fail(`${text} is refused`);
    } catch (error) {
      t.match(error, { code: 'UPSTREAM_UNAUTHORIZED' });
      t.notMatch(String(error), /secret/);
    }
  }
});
