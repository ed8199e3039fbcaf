import t from 'tap';
import type { RequireRule } from '../../../src/policies/policy.ts';
import { governing } from '../../../src/verifier/governing.ts';
import type { VerificationBasis } from '../../../src/verifier/verifier.ts';

/** What governs under a rule that relies upon one store and one Sigstore root. */
function digestWith(digests: { readonly store?: string; readonly root?: string }): string {
  const rule = {
    kind: 'require',
    digest: 'rule',
    trustStores: ['ca:acme'],
    sigstoreRoots: ['acme'],
  } as unknown as RequireRule;
  const basis: VerificationBasis = {
    generation: 1,
    policy: { ruleFor: () => rule } as unknown as VerificationBasis['policy'],
    trust: {
      notationStore: () => [],
      notationStoreDigest: (name) => (name === 'ca:acme' ? (digests.store ?? 'store') : 'other'),
      sigstoreRoot: () => undefined,
      sigstoreRootDigest: (name) => (name === 'acme' ? (digests.root ?? 'root') : 'other'),
    },
  };
  const repository = { upstream: 'ghcr.io', path: 'acme/app' } as Parameters<typeof governing>[0];
  const subject = `sha256:${'0'.repeat(64)}` as Parameters<typeof governing>[1];
  return governing(repository, subject, basis, { trustedMs: 1 }, new Date(0)).digest;
}

t.test('a verdict is bound to each store and each root that its rule relies upon', async (t) => {
  t.strictSame(digestWith({}), digestWith({}));
  t.not(digestWith({ store: 'changed' }), digestWith({}));
  t.not(digestWith({ root: 'changed' }), digestWith({}));
});
