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
  'a root that was verified too long ago for the identity': {
    ...unknown,
    requirement: { maxRootAgeMs: 86_400_000 },
    loaded: { kind: 'tuf', asOf: new Date('2030-05-30T23:59:59Z') },
    because: /root "default" was last verified at 2030-05-30T23:59:59.000Z, before maxRootAge/,
  },
  'a root that came with this version, for an identity that asks for its age': {
    ...unknown,
    requirement: { maxRootAgeMs: 86_400_000 },
    loaded: { kind: 'seed' },
    because: /root "default" was not verified by TUF so far/,
  },
  'a file, however new, for an identity that asks for its age': {
    ...unknown,
    requirement: { maxRootAgeMs: 86_400_000 },
    loaded: { kind: 'file', asOf: new Date('2030-06-01T00:00:00Z') },
    because: /root "default" was not verified by TUF so far/,
  },
} satisfies SigstoreMutations);
