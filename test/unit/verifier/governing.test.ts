import t from 'tap';
import type { RequireRule, Rule } from '../../../src/policies/policy.ts';
import { governing } from '../../../src/verifier/governing.ts';
import type { VerificationBasis } from '../../../src/verifier/verifier.ts';

const trust: VerificationBasis['trust'] = {
  notationStore: () => [],
  notationStoreDigest: () => 'store',
  sigstoreRoot: () => undefined,
  sigstoreRootDigest: () => 'root',
};
const requires = {
  kind: 'require',
  digest: 'rule',
  trustStores: ['ca:acme'],
  sigstoreRoots: ['acme'],
} as unknown as RequireRule;

function governedBy(
  rule: Rule | undefined,
  material: VerificationBasis['trust'] = trust,
  trustedMs = 1,
): ReturnType<typeof governing> {
  const basis: VerificationBasis = {
    generation: 1,
    policy: { ruleFor: () => rule } as unknown as VerificationBasis['policy'],
    trust: material,
  };
  const repository = { upstream: 'ghcr.io', path: 'acme/app' } as Parameters<typeof governing>[0];
  const subject = `sha256:${'0'.repeat(64)}` as Parameters<typeof governing>[1];
  return governing(repository, subject, basis, { trustedMs }, new Date(0));
}

/** What governs under a rule that relies upon one store and one Sigstore root. */
function digestWith(digests: { readonly store?: string; readonly root?: string }): string {
  return governedBy(requires, {
    ...trust,
    notationStoreDigest: (name) => (name === 'ca:acme' ? (digests.store ?? 'store') : 'other'),
    sigstoreRootDigest: (name) => (name === 'acme' ? (digests.root ?? 'root') : 'other'),
  }).digest;
}

t.test('a verdict is bound to each store and each root that its rule relies upon', async (t) => {
  t.strictSame(digestWith({}), digestWith({}));
  t.not(digestWith({ store: 'changed' }), digestWith({}));
  t.not(digestWith({ root: 'changed' }), digestWith({}));
});

t.test('where no rule matches, nothing of an earlier rule governs', async (t) => {
  t.strictSame(governedBy(undefined), { rule: undefined, digest: 'no-rule' });
});

t.test('under the same trust material each rule has a digest of its own', async (t) => {
  const audited: RequireRule = { ...requires, audit: { until: new Date(1) } };
  const exempt = { kind: 'exempt', digest: 'exempt' } as unknown as Rule;
  const rules: readonly Rule[] = [requires, audited, { ...requires, digest: 'changed' }, exempt];
  const digests = rules.map((rule) => governedBy(rule).digest);
  t.equal(new Set(digests).size, rules.length);
  t.strictSame(
    rules.map((rule) => governedBy(rule).digest),
    digests,
    'and keeps it',
  );
  for (const digest of digests) t.match(digest, /^[0-9a-f]{64} \d+ 1$/);
});

t.test('an exemption relies upon no store and no root', async (t) => {
  const exempt = { kind: 'exempt', digest: 'exempt', audit: {} } as unknown as Rule;
  const unread = (): never => {
    throw new TypeError('it was asked');
  };
  t.ok(governedBy(exempt, { ...trust, notationStoreDigest: unread, sigstoreRootDigest: unread }));
});

t.test('another longest lifetime asks for another verdict', async (t) => {
  t.not(governedBy(requires, trust, 2).digest, governedBy(requires, trust, 1).digest);
});

t.test('what trust material means is worked out once for each rule', async (t) => {
  let asked = 0;
  const counting = { ...trust, notationStoreDigest: () => `store ${(asked += 1)}` };
  t.equal(governedBy(requires, counting).digest, governedBy(requires, counting).digest);
  t.equal(asked, 1);
});
