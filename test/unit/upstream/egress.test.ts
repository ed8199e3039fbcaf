import { networkInterfaces } from 'node:os';
import t, { type Test } from 'tap';
import {
  type EgressOptions,
  type ListenAddress,
  makeEgressGuard,
  type NamedBy,
} from '../../../src/upstream/egress.ts';
import { failureOf } from '../../support/remote-kit.ts';

function guardWith(options: Partial<EgressOptions> = {}) {
  const resolve = () => Promise.resolve(['93.184.216.34']);
  return makeEgressGuard({
    allowPrivate: [],
    ownListeners: () => [],
    timeoutMs: 1000,
    resolve,
    ...options,
  });
}

async function refuses(
  t: Test,
  options: Partial<EgressOptions>,
  host: string,
  what: RegExp,
  { port = 443, namedBy = 'others' }: { port?: number; namedBy?: NamedBy } = {},
): Promise<void> {
  const error = await failureOf(t, guardWith(options).admit(host, port, namedBy));
  t.equal(error.code, 'UPSTREAM_LEADS_ASTRAY');
  t.match(error.message, what);
}

t.test('a public host that others name is admitted with its addresses', async (t) => {
  const resolve = () => Promise.resolve(['93.184.216.34', '2606:4700::1']);
  const addresses = await guardWith({ resolve }).admit('cdn.example', 443, 'others');
  t.strictSame(addresses, ['93.184.216.34', '2606:4700::1']);
});

t.test('one private address among public ones is enough to refuse', async (t) => {
  const resolve = () => Promise.resolve(['93.184.216.34', '10.0.0.7']);
  await refuses(t, { resolve }, 'cdn.example', /"cdn\.example" is at 10\.0\.0\.7/);
});

t.test('a mapped private address is refused', async (t) => {
  const resolve = () => Promise.resolve(['::ffff:127.0.0.1']);
  await refuses(t, { resolve }, 'cdn.example', /127\.0\.0\.1/);
});

t.test('an address in place of a name is judged without a look-up', async (t) => {
  const resolve = () => Promise.reject(new Error('nobody asks'));
  await refuses(t, { resolve }, '169.254.169.254', /169\.254\.169\.254/);
  t.strictSame(await guardWith({ resolve }).admit('1.1.1.1', 443, 'others'), ['1.1.1.1']);
});

t.test('what the operator allows is admitted, and only that', async (t) => {
  const resolve = () => Promise.resolve(['10.1.2.3']);
  const allowPrivate = ['10.1.0.0/16'];
  const guard = guardWith({ resolve, allowPrivate });
  t.strictSame(await guard.admit('minio.internal', 443, 'others'), ['10.1.2.3']);
  await refuses(t, { allowPrivate }, '10.2.0.1', /10\.2\.0\.1/);
});

t.test("an upstream's own origin may be private", async (t) => {
  const resolve = () => Promise.resolve(['10.1.2.3']);
  const guard = guardWith({ resolve });
  t.strictSame(await guard.admit('registry.internal', 443, 'configuration'), ['10.1.2.3']);
});

t.test('where we listen ourselves is refused, whoever names it', async (t) => {
  const listeners: readonly ListenAddress[] = [{ host: '127.0.0.1', port: 5000 }];
  const options = { ownListeners: () => listeners, allowPrivate: ['127.0.0.0/8'] };
  const what = /where we listen ourselves/;
  for (const namedBy of ['configuration', 'others'] as const) {
    await refuses(t, options, '127.0.0.1', what, { port: 5000, namedBy });
    await refuses(t, options, '::ffff:127.0.0.1', what, { port: 5000, namedBy });
  }
  const guard = guardWith(options);
  t.strictSame(await guard.admit('127.0.0.1', 5001, 'configuration'), ['127.0.0.1']);
  t.strictSame(await guard.admit('127.0.0.2', 5000, 'configuration'), ['127.0.0.2']);
});

t.test('a listener on all addresses is refused by each of them', async (t) => {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const addresses = all.filter(({ scopeid }) => !scopeid).map(({ address }) => address);
  t.ok(addresses.length > 0);
  for (const host of ['0.0.0.0', '::', 'localhost']) {
    const options = { ownListeners: () => [{ host, port: 5000 }] };
    for (const address of [...addresses, '127.0.0.9', '0.0.0.0', '::1']) {
      const terms = { port: 5000, namedBy: 'configuration' } as const;
      await refuses(t, options, address, /where we listen/, terms);
    }
  }
});

t.test('listeners are asked at each connection', async (t) => {
  let listeners: readonly ListenAddress[] = [];
  const guard = guardWith({ ownListeners: () => listeners });
  t.ok(await guard.admit('127.0.0.1', 5000, 'configuration'));
  listeners = [{ host: '127.0.0.1', port: 5000 }];
  const error = await failureOf(t, guard.admit('127.0.0.1', 5000, 'configuration'));
  t.equal(error.code, 'UPSTREAM_LEADS_ASTRAY');
});

t.test('a host without an address is unreachable', async (t) => {
  const guard = guardWith({ resolve: () => Promise.resolve([]) });
  t.equal(
    (await failureOf(t, guard.admit('x.example', 443, 'others'))).code,
    'UPSTREAM_UNREACHABLE',
  );
});

t.test('an address that can not be judged is refused', async (t) => {
  const resolve = () => Promise.resolve(['fe80::1%eth0']);
  await refuses(t, { resolve }, 'x.example', /we cannot judge/, { namedBy: 'configuration' });
});

t.test('a look-up that never ends is given up', async (t) => {
  const guard = guardWith({ resolve: () => new Promise(() => undefined), timeoutMs: 20 });
  // A deadline alone does not keep the process.
  const alive = setInterval(() => undefined, 1000);
  t.teardown(() => clearInterval(alive));
  await t.rejects(guard.admit('slow.example', 443, 'others'), { name: 'TimeoutError' });
});

t.test('behind a proxy, a name is judged by itself', async (t) => {
  const guard = guardWith({ allowPrivate: ['10.1.0.0/16'] });
  const admitted = ['cdn.example', '10.1.2.3', '1.1.1.1', 'notlocalhost'];
  for (const host of admitted) t.doesNotThrow(() => guard.admitName(host, 443, 'others'), host);
  const refused = ['localhost', 'a.localhost', 'localhost.', '127.0.0.1', '10.2.0.1', '::1'];
  for (const host of refused) {
    t.throws(() => guard.admitName(host, 443, 'others'), { code: 'UPSTREAM_LEADS_ASTRAY' }, host);
  }
  t.doesNotThrow(() => guard.admitName('localhost', 443, 'configuration'));
});
