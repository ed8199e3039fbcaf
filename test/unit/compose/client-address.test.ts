import fc from 'fast-check';
import t from 'tap';
import { makeClientOf, makeIsProxy } from '../../../src/compose/client-address.ts';
import { holds } from '../../support/holds.ts';

const clientOf = makeClientOf(['10.0.0.0/8', 'fd00::/8']);
const direct = (address: string | undefined): string =>
  clientOf({ address, forwardedFor: undefined });
const behind = (forwardedFor: string): string => clientOf({ address: '10.0.0.1', forwardedFor });

const addresses: readonly (readonly [string | undefined, string])[] = [
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
  ['2001:DB8:0:0:1::', '2001:db8:0:0::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['10.0.0.1', '10.0.0.1'],
  [undefined, 'unknown'],
];
for (const [address, client] of addresses) {
  t.test(`${address} is ${client}`, async (t) => t.equal(direct(address), client));
}

t.test('what a stranger says of itself counts for nothing', async (t) => {
  const said = clientOf({ address: '192.0.2.7', forwardedFor: '198.51.100.1' });
  t.equal(said, '192.0.2.7');
});

const forwarded: readonly (readonly [string, string])[] = [
  ['198.51.100.1', '198.51.100.1'],
  ['198.51.100.1:4711', '198.51.100.1'],
  ['[2001:db8:1:2::9]:4711', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
  ['203.0.113.9, 198.51.100.1', '198.51.100.1'],
  ['203.0.113.9, 198.51.100.1, 10.0.0.2', '198.51.100.1'],
  ['10.0.0.3, 10.0.0.2', '10.0.0.3'],
  ['198.51.100.1,', '10.0.0.1'],
  ['unknown', '10.0.0.1'],
  ['', '10.0.0.1'],
  [`198.51.100.1${', 10.0.0.2'.repeat(100)}`, '10.0.0.2'],
];
for (const [header, client] of forwarded) {
  t.test(
    `behind a proxy of ours, ${JSON.stringify(header.slice(0, 60))} is ${client}`,
    async (t) => {
      t.equal(behind(header), client);
    },
  );
}

t.test('what a client writes before its proxy does not change who it is', async (t) => {
  await holds(
    t,
    'the address that our proxy saw counts',
    fc.property(fc.string(), fc.ipV4(), (invented, seen) => {
      fc.pre(!seen.startsWith('10.'));
      return behind(`${invented}, ${seen}`) === seen;
    }),
  );
});

t.test('one network of 64 bits is one client', async (t) => {
  await holds(
    t,
    'by its first half alone',
    fc.property(fc.ipV6(), fc.ipV6(), (one, other) => {
      const groups = (address: string): string[] => direct(address).split(':');
      fc.pre(groups(one).length > 4 && groups(other).length > 4);
      const network = direct(one).replace('::/64', '');
      const host = direct(other).replace('::/64', '');
      return direct(`${network}:${host}`) === direct(one);
    }),
  );
});

t.test(
  'a connection from one of our proxies is told from others by its address alone',
  async (t) => {
    const isProxy = makeIsProxy(['10.0.0.0/8', 'fd00::/8']);
    for (const address of ['10.1.2.3', '::ffff:10.1.2.3', 'fd00::1', 'fd00::1%eth0']) {
      t.ok(isProxy(address), address);
    }
    for (const address of ['192.0.2.1', 'fe80::1', '', 'proxy', undefined]) {
      t.notOk(isProxy(address), address ?? 'a connection that is closed');
    }
    t.notOk(makeIsProxy([])('127.0.0.1'));
  },
);
