import t from 'tap';
import { trustDigestOf } from '../../../src/compose/trust-digest.ts';
import type { TrustMaterial } from '../../../src/trust/trust-material.ts';
import { aliceSigns, loadRules } from '../../support/gate-kit.ts';

function trustOf(digests: Readonly<Record<string, string>>): TrustMaterial {
  return {
    notationStore: () => [],
    notationStoreDigest: (name) => digests[name] ?? 'absent',
    sigstoreRoot: () => undefined,
    sigstoreRootDigest: (name) => digests[name] ?? 'absent',
  };
}

t.test('it changes with what the policy rests on, and with nothing else', async (t) => {
  const policy = await loadRules(aliceSigns);
  const digestOf = (digests: Readonly<Record<string, string>>): string =>
    trustDigestOf({ policy, trust: trustOf(digests) });
  const one = digestOf({ 'ca:x': 'one' });
  t.match(one, /^[0-9a-f]{64}$/);
  t.equal(digestOf({ 'ca:x': 'one' }), one);
  t.not(digestOf({ 'ca:x': 'two' }), one);
  t.not(digestOf({}), one);
  t.equal(digestOf({ 'ca:x': 'one', 'ca:other': 'new' }), one, 'a store that no rule names');
});
