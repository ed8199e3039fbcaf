import { join } from 'node:path';
import t from 'tap';
import { type RedisConfig, redisAddressOf } from '../../../src/compose/redis-address.ts';
import { makeSecret } from '../../../src/config/redact.ts';

const keyPrefix = 'assay';
const at = async (redis: Partial<RedisConfig>) =>
  redisAddressOf({ keyPrefix, ...redis } as RedisConfig);

const urls: Readonly<Record<string, object>> = {
  'redis://r': { kind: 'standalone', host: 'r', port: 6379, database: 0 },
  'redis://r:7000/3': { kind: 'standalone', host: 'r', port: 7000, database: 3 },
  'rediss://[::1]:7000': { kind: 'standalone', host: '::1', port: 7000, database: 0 },
};

for (const [url, place] of Object.entries(urls)) {
  t.test(`${url} is read`, async (t) => {
    const address = await at({ url });
    t.same(address.place, place);
    t.equal(address.tls === undefined, url.startsWith('redis:'));
  });
}

t.test('sentinels have a port and credentials of their own', async (t) => {
  const sentinel = { name: 'm', addresses: ['a', 'b:1'], password: makeSecret('s') };
  const { place, tls, password } = await at({ sentinel, tls: {}, password: makeSecret('p') });
  t.same(place, {
    kind: 'sentinel',
    name: 'm',
    sentinels: [
      { host: 'a', port: 26379 },
      { host: 'b', port: 1 },
    ],
    username: undefined,
    password: 's',
    database: 0,
  });
  t.equal(password, 'p');
  t.ok(tls, 'an empty mapping is TLS');
});

t.test('nodes of a cluster are in plain unless tls is there', async (t) => {
  const { place, tls } = await at({ cluster: { addresses: ['[fe80::1]', 'b:1'] } });
  t.same(place, {
    kind: 'cluster',
    nodes: [
      { host: 'fe80::1', port: 6379 },
      { host: 'b', port: 1 },
    ],
  });
  t.equal(tls, undefined);
});

t.test('files of TLS are read, and one that is missing is named', async (t) => {
  const folder = t.testdir({ 'ca.pem': 'CA', 'c.pem': 'C', 'k.pem': 'K' });
  const [ca, certificate, key] = ['ca.pem', 'c.pem', 'k.pem'].map((name) => join(folder, name));
  const tls = { ca: ca!, clientCertificate: { certificate: certificate!, key: key! } };
  const address = await at({ url: 'rediss://r', tls });
  t.same(address.tls, { ca: 'CA', certificate: 'C', key: 'K' });
  const missing = join(folder, 'none.pem');
  await t.rejects(at({ url: 'rediss://r', tls: { ca: missing } }), {
    code: 'STATE_UNUSABLE',
    message: /^redis\.tls\.ca: .*none\.pem can not be read/,
  });
});
