import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { request } from 'undici';
import { discard, isRedirect, nextHop } from '../../../src/upstream/redirect.ts';

const from = new URL('https://registry.example/v2/a/blobs/x?y=1');
const own = 'https://registry.example';

const good: readonly (readonly [string, string])[] = [
  ['https://cdn.example/blob?sig=1', 'https://cdn.example/blob?sig=1'],
  ['/other/path', 'https://registry.example/other/path'],
  ['other', 'https://registry.example/v2/a/blobs/other'],
  ['?z=2', 'https://registry.example/v2/a/blobs/x?z=2'],
  ['//cdn.example/x', 'https://cdn.example/x'],
  ['https://cdn.example/x#part', 'https://cdn.example/x'],
  ['HTTPS://CDN.example/x', 'https://cdn.example/x'],
];
for (const [location, expected] of good) {
  t.test(`Location ${location} is followed`, async (t) => {
    t.equal(nextHop(from, location, own).href, expected);
  });
}

const bad: readonly (readonly [string | undefined, RegExp])[] = [
  [undefined, /without a usable Location/],
  ['', /without a usable Location/],
  ['http://registry.example/x', /not https/],
  ['http://cdn.example/x', /not https/],
  ['ftp://cdn.example/x', /not https/],
  ['file:///etc/passwd', /not https/],
  ['data:text/plain,x', /not https/],
  ['javascript:1', /not https/],
  ['https://user:secret@cdn.example/x', /user information$/],
  ['https://user@cdn.example/x', /user information$/],
  ['https://registry.example@evil.example/', /user information$/],
  ['https:\\\\evil.example\\x', /without a usable Location/],
  ['/\\evil.example', /without a usable Location/],
  ['https://cdn.example/a b', /without a usable Location/],
  ['https://cdn.example/\r\nX: y', /without a usable Location/],
  ['https://cdn.example/\u00e9', /without a usable Location/],
  ['ht\ttps://cdn.example/', /without a usable Location/],
  ['https://', /no URL/],
  ['https://[::1', /no URL/],
];
for (const [location, what] of bad) {
  t.test(`Location ${JSON.stringify(location)} is refused`, async (t) => {
    t.throws(() => nextHop(from, location, own), { code: 'UPSTREAM_LEADS_ASTRAY', message: what });
  });
}

t.test('the secret of a refused Location is not repeated', async (t) => {
  try {
    nextHop(from, 'https://user:secret@cdn.example/x', own);
    t.fail('it is refused');
  } catch (error) {
    t.notMatch(String(error), /secret/);
  }
});

t.test('plain http leads back to a plain origin only', async (t) => {
  const plain = new URL('http://lab.example:5000/v2/');
  t.equal(nextHop(plain, '/x', plain.origin).href, 'http://lab.example:5000/x');
  for (const location of [
    'http://lab.example/x',
    'http://lab.example:5001/x',
    '//other.example/',
  ]) {
    t.throws(() => nextHop(plain, location, plain.origin), { code: 'UPSTREAM_LEADS_ASTRAY' });
  }
});

t.test('the statuses that redirect are those that a GET follows', async (t) => {
  const statuses = [200, 201, 204, 300, 301, 302, 303, 304, 305, 307, 308, 400];
  t.strictSame(statuses.filter(isRedirect), [301, 302, 303, 307, 308]);
});

t.test('a rest that does not come is waited for no longer than a while', async (t) => {
  const server = createServer((_, response) => response.write('a'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { body } = await request(`http://127.0.0.1:${port}/`);
  const alive = setInterval(() => undefined, 1000);
  discard({ body }, 1);
  await t.rejects(once(body, 'close'), { name: 'TimeoutError' });
  clearInterval(alive);
  t.ok(body.destroyed);
});
