import t from 'tap';
import {
  isTimestampStore,
  readCountersignature,
} from '../../../../src/formats/notation/countersignature.ts';
import type { NotationTrustStoreName } from '../../../../src/verdict/identity-requirement.ts';
import { makeTrust, type TestStores } from '../../../support/notation-case.ts';
import { timestampToken } from '../../../support/sign-timestamp.ts';
import { makeAuthority } from '../../../support/test-authority.ts';

const signature = Buffer.from('a signature');
const { root } = makeAuthority();
const other = makeAuthority({ authority: 'other' }).root;
const envelope = { signature, timestampToken: timestampToken(signature) };

const read = (
  stores: TestStores,
  names: readonly NotationTrustStoreName[] = ['ca:acme', 'tsa:clock'],
  countersigned: Parameters<typeof readCountersignature>[0] = envelope,
) => readCountersignature(countersigned, names, makeTrust(stores));

t.test('an authority under a root of any named store vouches for the time', async (t) => {
  const trusted = { kind: 'trusted', time: { earliest: new Date('2025-12-31T23:59:59Z') } };
  t.match(read({ 'tsa:clock': [root.der] }), trusted);
  t.match(read({ 'tsa:clock': [other.der, root.der] }), trusted);
  const names = ['tsa:other', 'ca:acme', 'tsa:clock'] as const;
  t.match(read({ 'tsa:other': [other.der], 'tsa:clock': [root.der] }, names), trusted);
});

t.test('a root in a store of another type, or that is not named, does not count', async (t) => {
  const stores = { 'ca:acme': [root.der], 'tsa:other': [root.der], 'tsa:clock': [other.der] };
  t.match(read(stores), { kind: 'untrusted', because: /no trusted authority/ });
});

t.test('a store that is not there is named, unless another one suffices', async (t) => {
  const names = ['tsa:clock', 'tsa:gone'] as const;
  t.match(read({ 'tsa:clock': [root.der] }, names), { kind: 'trusted' });
  t.throws(() => read({ 'tsa:clock': [other.der] }, names), {
    code: 'TRUST_STORE_UNREADABLE',
    message: /there is no trust store tsa:gone/,
  });
  t.throws(() => read({}), { message: /there is no trust store tsa:clock/ });
});

t.test('what is broken is so whatever the stores hold', async (t) => {
  const broken = [
    [{ signature, timestampToken: undefined }, /there is no timestamp/],
    [{ ...envelope, signature: Buffer.from('another') }, /is of something else/],
    [{ ...envelope, timestampToken: Uint8Array.of(1) }, /not a timestamp token/],
    [
      { signature, timestampToken: timestampToken(signature, { certificates: 'absent' }) },
      /proves nothing: its signer's certificate/,
    ],
    [
      { signature, timestampToken: timestampToken(signature, { hash: 'sha1' }) },
      /1.3.14.3.2.26, which is not accepted/,
    ],
  ] as const;
  for (const [countersigned, because] of broken) {
    t.match(read({}, ['tsa:clock'], countersigned), { kind: 'untrusted', because });
  }
});

t.test('a store of timestamp authorities is known by its type', async (t) => {
  t.ok(isTimestampStore('tsa:clock'));
  t.notOk(isTimestampStore('ca:tsa'));
});
