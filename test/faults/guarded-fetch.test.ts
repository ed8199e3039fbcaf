import t, { type Test } from 'tap';
import { type GuardedFetchOptions, openGuardedFetch } from '../../src/upstream/guarded-fetch.ts';
import { openRevocationServer } from '../support/revocation-server.ts';

const loopback = ['127.0.0.0/8', '::1/128'];

async function setUp(t: Test, options: Partial<GuardedFetchOptions> = {}) {
  const server = await openRevocationServer(t);
  const { fetch, close } = openGuardedFetch({
    allowPrivate: loopback,
    ownListeners: () => [],
    ...options,
  });
  t.teardown(close);
  const get = (url: string, maxBytes = 1024): Promise<Uint8Array> =>
    fetch({ url, maxBytes }, AbortSignal.timeout(5_000));
  return { server, fetch, get };
}

t.test('bytes come with nothing sent along', async (t) => {
  const { server, get, fetch } = await setUp(t);
  server.serve('/a', () => Buffer.from('bytes'));
  t.equal(Buffer.from(await get(`${server.url}/a`)).toString(), 'bytes');
  const body = { type: 'application/ocsp-request', bytes: Buffer.from('question') };
  await fetch({ url: `${server.url}/a`, body, maxBytes: 10 }, AbortSignal.timeout(5_000));
  t.strictSame(server.requests, ['GET /a', 'POST /a']);
  const [first, second] = server.headers;
  const expected = ['accept-encoding', 'connection', 'host', 'user-agent'];
  t.strictSame(Object.keys(first ?? {}).toSorted(), expected);
  t.match(second, { 'content-type': 'application/ocsp-request', 'content-length': '8' });
});

t.test('a private address is dialled only where it is allowed', async (t) => {
  const { server, get } = await setUp(t, { allowPrivate: [] });
  server.serve('/a', () => Buffer.from('bytes'));
  const hosts = ['127.0.0.1', 'localhost', '0.0.0.0', '[::1]', '[::ffff:127.0.0.1]', '2130706433'];
  for (const host of hosts) {
    await t.rejects(get(`http://${host}:${server.port}/a`), {
      code: /UPSTREAM_LEADS_ASTRAY|UPSTREAM_UNREACHABLE/,
    });
  }
  const metadata = get('http://169.254.169.254/latest/meta-data/');
  await t.rejects(metadata, { code: 'UPSTREAM_LEADS_ASTRAY', message: /neither public nor in/ });
  t.strictSame(server.requests, []);
});

t.test('a name whose addresses change is dialled at the one that was judged', async (t) => {
  const answers = [['127.0.0.1'], ['127.0.0.1']];
  const resolve = async (): Promise<readonly string[]> => answers.shift() ?? ['8.8.8.8'];
  const { server, get } = await setUp(t, { allowPrivate: [], resolve });
  server.serve('/a', () => Buffer.from('bytes'));
  const hosted = `http://crl.example:${server.port}/a`;
  await t.rejects(get(hosted), { code: 'UPSTREAM_LEADS_ASTRAY' });
  t.strictSame(server.requests, []);
});

t.test('our own listener is never dialled', async (t) => {
  const own: { host: string; port: number }[] = [];
  const { server, get } = await setUp(t, { ownListeners: () => own });
  server.serve('/a', () => Buffer.from('bytes'));
  own.push({ host: '127.0.0.1', port: server.port });
  await t.rejects(get(`${server.url}/a`), { message: /where we listen ourselves/ });
  t.strictSame(server.requests, []);
});

t.test('only plain http is asked, by a URL that nobody could read otherwise', async (t) => {
  const { server, get } = await setUp(t);
  const urls = [
    `https://127.0.0.1:${server.port}/a`,
    'ldap://127.0.0.1/cn=a',
    'file:///etc/passwd',
    'unsupported:no-url',
    `http://user:secret@127.0.0.1:${server.port}/a`,
    `http://127.0.0.1:${server.port}/a b`,
    `http://127.0.0.1:${server.port}/\n`,
    `http://127.0.0.1:${server.port}/${'a'.repeat(5000)}`,
    '',
  ];
  for (const url of urls) {
    await t.rejects(get(url), { code: 'UPSTREAM_LEADS_ASTRAY', message: /no plain http URL/ });
  }
  t.strictSame(server.requests, []);
  const said = await get(urls[4] ?? '').catch(String);
  t.notMatch(said, /secret/);
});

t.test('redirects go from http to http, through the same checks, three times', async (t) => {
  const { server, get } = await setUp(t);
  server.serve('/a', () => Buffer.from('bytes'));
  for (const hop of [1, 2, 3, 4]) {
    server.serve(`/${hop}`, () => ({ location: hop === 1 ? '/a' : `/${hop - 1}` }));
  }
  t.equal(Buffer.from(await get(`${server.url}/3`)).toString(), 'bytes');
  await t.rejects(get(`${server.url}/4`), { message: /redirects more than 3 times/ });
  const astray = [
    'https://127.0.0.1/',
    'file:///etc/passwd',
    'http://10.0.0.1/',
    '//u:p@a/',
    '\\a',
  ];
  for (const location of astray) {
    server.serve('/astray', () => ({ location }));
    await t.rejects(get(`${server.url}/astray`), { code: 'UPSTREAM_LEADS_ASTRAY' }, location);
  }
});

t.test('what is no success within the bounds is none', async (t) => {
  const { server, get, fetch } = await setUp(t);
  server.serve('/404', () => 404);
  server.serve('/204', () => 204);
  server.serve('/large', () => Buffer.alloc(1025));
  server.serve('/endless', () => 'endless');
  server.serve('/hang', () => 'hang');
  await t.rejects(get(`${server.url}/404`), { code: 'UPSTREAM_FAILED', message: /status 404/ });
  await t.rejects(get(`${server.url}/204`), { code: 'UPSTREAM_FAILED', message: /status 204/ });
  await t.rejects(get(`${server.url}/large`), { code: 'UPSTREAM_TOO_LARGE' });
  await t.rejects(get(`${server.url}/endless`), { code: 'UPSTREAM_TOO_LARGE' });
  const signal = AbortSignal.timeout(50);
  const hanging = fetch({ url: `${server.url}/hang`, maxBytes: 10 }, signal);
  await t.rejects(hanging, { code: 'UPSTREAM_TIMEOUT' });
  t.equal((await get(`${server.url}/large`, 1025)).length, 1025);
});
