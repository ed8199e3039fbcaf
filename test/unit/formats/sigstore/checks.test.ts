import t from 'tap';
import { sigstoreChecks } from '../../../../src/formats/sigstore/checks.ts';
import { assertSigstoreMutations, type SigstoreMutations } from '../../../support/sigstore-case.ts';

t.test('what costs little comes before what costs much, and who signed comes last', async (t) => {
  const ids = sigstoreChecks.map(({ id }) => id);
  const order = [
    'envelope-readable',
    'payload-names-subject',
    'signer-candidate',
    'signature-verifies',
  ];
  t.strictSame(ids.slice(0, order.length), order);
  t.equal(ids.at(-1), 'trusted-identity');
  for (const { rule } of sigstoreChecks) t.match(rule, /./);
});

const at = 'trusted-root';
const unknown = { at, outcome: 'inconclusive', reason: 'not-verifiable' } as const;

// Nothing was found out: neither trusted nor untrusted.
assertSigstoreMutations(t, {
  'a root that is not there': {
    ...unknown,
    loaded: 'absent',
    because: /there is no Sigstore root "default" yet/,
  },
  'a root that has ended': {
    ...unknown,
    loaded: { expiresAt: new Date('2030-05-31T23:59:59Z') },
    because: /the Sigstore root "default" has ended at 2030-05-31/,
  },
  'a root that is not there for a key with a log': {
    ...unknown,
    plan: { key: 'EC-256' },
    loaded: 'absent',
    because: /there is no Sigstore root/,
  },
} satisfies SigstoreMutations);
