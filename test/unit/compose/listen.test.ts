import fastify from 'fastify';
import { join } from 'node:path';
import t from 'tap';
import { listenOn, namesOf, readServerTls, urlOf } from '../../../src/compose/listen.ts';
import type { Config } from '../../../src/config/schema.ts';

const config = (overrides: object): Config => overrides as unknown as Config;

t.test('a free port is found out', async (t) => {
  const server = fastify();
  t.teardown(() => server.close());
  const port = await listenOn(server, { host: '127.0.0.1', port: 0 }, 'listen');
  t.ok(port > 0);
  t.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 404);
});

t.test('an address that is taken, or not ours, is named with its key', async (t) => {
  const [first, second, third] = [fastify(), fastify(), fastify()];
  t.teardown(() => first.close());
  const port = await listenOn(first, { host: '127.0.0.1', port: 0 }, 'listen');
  await t.rejects(listenOn(second, { host: '127.0.0.1', port }, 'admin'), {
    code: 'ADDRESS_UNUSABLE',
    message: `admin: 127.0.0.1:${port} can not be used: another process listens there`,
  });
  await t.rejects(listenOn(third, { host: '192.0.2.1', port: 0 }, 'listen'), {
    code: 'ADDRESS_UNUSABLE',
    message: 'listen: 192.0.2.1:0 can not be used: this machine has no such address',
  });
});

t.test('an IPv6 address stands in brackets in a URL', async (t) => {
  t.equal(urlOf('http', '::1', 5000), 'http://[::1]:5000');
  t.equal(urlOf('https', '127.0.0.1', 5000), 'https://127.0.0.1:5000');
});

t.test('hosts of ours are compared in lower case', async (t) => {
  const names = namesOf(
    config({ upstreams: { a: {}, b: {} }, hosts: { 'Hub.Example': 'a' }, defaultUpstream: 'b' }),
  );
  t.strictSame(
    ['a', 'b', 'c'].map((key) => names.upstreams.has(key)),
    [true, true, false],
  );
  t.same([...names.hosts], [['hub.example', 'a']]);
  t.equal(names.defaultUpstream, 'b');
});

t.test('without tls there is none', async (t) => {
  t.equal(await readServerTls(config({ listen: {} })), undefined);
});

t.test('the texts of certificate, key and client CA are read', async (t) => {
  const folder = t.testdir({ c: 'certificate', k: 'key', a: 'ca' });
  const [certificate, key, clientCa] = ['c', 'k', 'a'].map((name) => join(folder, name));
  t.same(await readServerTls(config({ listen: { tls: { certificate, key } } })), {
    certificate: 'certificate',
    key: 'key',
  });
  t.match(await readServerTls(config({ listen: { tls: { certificate, key, clientCa } } })), {
    clientCa: 'ca',
  });
});

t.test('a file that is not there is named with its key', async (t) => {
  const folder = t.testdir({ c: 'certificate' });
  const tls = { certificate: join(folder, 'c'), key: join(folder, 'k') };
  await t.rejects(readServerTls(config({ listen: { tls } })), {
    code: 'TLS_UNUSABLE',
    message: `listen.tls.key: ${tls.key} can not be read: it does not exist`,
  });
});
