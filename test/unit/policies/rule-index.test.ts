import t from 'tap';
import { type Digest, digestOf } from '../../../src/oci/digest.ts';
import { loadPolicy, loadRules } from '../../support/policy-kit.ts';

const pinned = digestOf(Buffer.from('pinned'));
const other = digestOf(Buffer.from('other'));
const before = new Date('2026-11-30T23:59:59.999Z');
const end = new Date('2026-12-01T00:00:00Z');
const until = end.toISOString().replace('.000', '');
const exempt = `exempt: { reason: INC-1, owner: sre, until: ${until} }`;

async function decider(rules: string) {
  const policy = await loadRules(rules);
  return (scope: string, digest: Digest = other, at: Date = before) =>
    policy.ruleFor(scope, digest, at);
}

const numberOf = (rule: { readonly name: string } | undefined) => rule?.name.split(' ')[1];

t.test('the first rule that matches decides, and no match is no rule', async (t) => {
  const ruleFor = await decider(`
  - { repositories: [ghcr.io/acme/special], require: { signedBy: a } }
  - { repositories: [ghcr.io/acme/**, quay.io/**], require: { signedBy: b } }
  - { repositories: [ghcr.io/**], require: { signedBy: c } }`);
  t.equal(numberOf(ruleFor('ghcr.io/acme/special')), '1');
  t.equal(numberOf(ruleFor('ghcr.io/acme/app')), '2');
  t.equal(numberOf(ruleFor('quay.io/x')), '2');
  t.equal(numberOf(ruleFor('ghcr.io/other')), '3');
  t.equal(ruleFor('docker.io/library/nginx'), undefined);
  t.equal(ruleFor('ghcr.io'), undefined);
});

t.test('the answer for a scope is the same when it is asked for again', async (t) => {
  const ruleFor = await decider('  - { repositories: [a/**], require: { signedBy: a } }');
  t.equal(ruleFor('a/b'), ruleFor('a/b'));
  t.equal(ruleFor('b/b'), ruleFor('b/b'));
});

t.test('a rule for a digest is for that digest in any repository', async (t) => {
  const ruleFor = await decider(`
  - { digests: ["${pinned}"], require: { signedBy: a } }
  - { repositories: [a/**], require: { signedBy: b } }`);
  t.equal(numberOf(ruleFor('a/b', pinned)), '1');
  t.equal(numberOf(ruleFor('z/z', pinned)), '1');
  t.equal(numberOf(ruleFor('a/b', other)), '2');
  t.equal(ruleFor('z/z', other), undefined);
});

t.test('a rule for digests and repositories needs both to match', async (t) => {
  const ruleFor = await decider(`
  - { digests: ["${pinned}"], repositories: [a/*], require: { signedBy: a } }
  - { repositories: ["**"], require: { signedBy: b } }`);
  t.equal(numberOf(ruleFor('a/b', pinned)), '1');
  t.equal(numberOf(ruleFor('a/b', other)), '2');
  t.equal(numberOf(ruleFor('b/b', pinned)), '2');
});

t.test('an exemption stands where it is placed in the order', async (t) => {
  const ruleFor = await decider(`
  - { repositories: [a/**], require: { signedBy: a } }
  - { digests: ["${pinned}"], ${exempt} }
  - { repositories: [b/**], require: { signedBy: b } }`);
  t.equal(numberOf(ruleFor('a/b', pinned)), '1');
  t.match(ruleFor('b/b', pinned), { kind: 'exempt', reason: 'INC-1', owner: 'sre', until: end });
});

t.test('an exemption is as if absent from its end on', async (t) => {
  const ruleFor = await decider(`
  - { digests: ["${pinned}"], ${exempt} }
  - { repositories: [a/**], require: { signedBy: a } }`);
  t.equal(ruleFor('a/b', pinned, before)?.kind, 'exempt');
  t.equal(numberOf(ruleFor('a/b', pinned, end)), '2');
  t.equal(ruleFor('z/z', pinned, end), undefined);
});

t.test('an exemption by repository gives way to the next rule after its end', async (t) => {
  const ruleFor = await decider(`
  - { repositories: [a/**], ${exempt} }
  - { repositories: [a/**], require: { signedBy: a } }`);
  t.equal(ruleFor('a/b', other, before)?.kind, 'exempt');
  t.equal(numberOf(ruleFor('a/b', other, end)), '2');
});

t.test('audit mode is enforce from its end on', async (t) => {
  const ruleFor = await decider(
    `  - { repositories: [a/**], require: { signedBy: a }, mode: audit, until: ${until} }`,
  );
  const audited = ruleFor('a/b', other, before);
  const enforced = ruleFor('a/b', other, end);
  t.match(audited, { kind: 'require', audit: { until: end }, until: end });
  t.match(enforced, { kind: 'require', requirement: { signedBy: 'a' } });
  t.equal(enforced?.until, undefined);
  t.equal(enforced?.kind === 'require' ? enforced.audit : 'x', undefined);
  t.not(audited?.digest, enforced?.digest, 'a verdict with a waiver is not taken for one without');
});

t.test('an end in the past does not keep the policy from loading', async (t) => {
  const ruleFor = await decider(`
  - { repositories: [a/**], exempt: { reason: x, owner: y, until: 1999-01-01T00:00:00Z } }
  - { repositories: [b/**], require: { signedBy: a }, mode: audit, until: 1999-01-01T00:00:00Z }`);
  t.equal(ruleFor('a/b'), undefined);
  t.match(ruleFor('b/b'), { kind: 'require' });
});

t.test('a rule knows the stores and identities that it refers to, each once', async (t) => {
  const ruleFor = await decider(`
  - repositories: [a/**]
    require: { allOf: [{ signedBy: b }, { signedBy: a }, { anyOf: [{ signedBy: b }] }] }`);
  t.match(ruleFor('a/b'), { identities: ['b', 'a'], trustStores: ['ca:a', 'ca:b'] });
});

const base = {
  rule: '{ repositories: [a/**], require: { signedBy: x } }',
  identity: '{ notation: { trustStores: ["ca:x"], trustedIdentities: ["*"] } }',
};

async function digestWith(changes: Partial<typeof base> & { readonly before?: string }) {
  const { rule, identity } = { ...base, ...changes };
  const rules = `${changes.before ?? ''}\n  - ${rule}`;
  const unused = '{ notation: { trustStores: ["ca:y"], trustedIdentities: ["*"] } }';
  const text = `version: 1\nidentities:\n  x: ${identity}\n  y: ${unused}\nrules:${rules}`;
  const policy = await loadPolicy(text);
  return policy.ruleFor('a/b', other, before)?.digest;
}

t.test('the digest of a rule stays when what changes is not its meaning', async (t) => {
  const digest = await digestWith({});
  t.match(digest, /^[0-9a-f]{64}$/);
  const same = [
    { before: '\n  - { repositories: [b/**], require: { signedBy: y } }' },
    { rule: '{ repositories: [a/*, a/**], require: { signedBy: x } }' },
    { rule: '{ repositories: [a/**], covers: index, require: { signedBy: x } }' },
    {
      identity: '{ notation: { level: strict, trustedIdentities: ["*"], trustStores: ["ca:x"] } }',
    },
  ];
  for (const changes of same) t.equal(await digestWith(changes), digest, JSON.stringify(changes));
});

t.test('the digest of a rule changes with its meaning and that of its identities', async (t) => {
  const digest = await digestWith({});
  const changed = [
    { rule: '{ repositories: [a/**], require: { signedBy: y } }' },
    { rule: '{ repositories: [a/**], require: { anyOf: [{ signedBy: x }, { signedBy: y }] } }' },
    { rule: '{ repositories: [a/**], covers: platforms, require: { signedBy: x } }' },
    { rule: `{ repositories: [a/**], mode: audit, until: ${until}, require: { signedBy: x } }` },
    { rule: `{ repositories: [a/**], ${exempt} }` },
    { identity: '{ notation: { trustStores: ["ca:z"], trustedIdentities: ["*"] } }' },
    {
      identity:
        '{ notation: { level: permissive, trustStores: ["ca:x"], trustedIdentities: ["*"] } }',
    },
    {
      identity:
        '{ notation: { override: { expiry: log }, trustStores: ["ca:x"], trustedIdentities: ["*"] } }',
    },
    {
      identity:
        '{ notation: { verifyTimestamp: afterCertExpiry, trustStores: ["ca:x"], trustedIdentities: ["*"] } }',
    },
    {
      identity:
        '{ notation: { revocationTime: signing-time, trustStores: ["ca:x"], trustedIdentities: ["*"] } }',
    },
    {
      identity:
        '{ notation: { trustStores: ["ca:x"], trustedIdentities: ["x509.subject: C=US, ST=WA, O=x"] } }',
    },
  ];
  const digests = await Promise.all(changed.map((changes) => digestWith(changes)));
  t.equal(new Set([digest, ...digests]).size, changed.length + 1);
});

t.test('ten thousand rules are asked by what a scope begins with', async (t) => {
  const rules = Array.from(
    { length: 10_000 },
    (_, index) => `  - { repositories: [ghcr.io/team-${index}/**], require: { signedBy: a } }`,
  );
  const ruleFor = await decider(rules.join('\n'));
  t.equal(numberOf(ruleFor('ghcr.io/team-9999/app')), '10000');
  t.equal(numberOf(ruleFor('ghcr.io/team-0/app')), '1');
  t.equal(ruleFor('ghcr.io/team-10000/app'), undefined);
});

t.test('more scopes than are remembered are answered all the same', async (t) => {
  const ruleFor = await decider('  - { repositories: [a/**], require: { signedBy: a } }');
  for (let index = 0; index < 10_100; index += 1) ruleFor(`a/${index}`);
  t.equal(numberOf(ruleFor('a/0')), '1');
  t.equal(numberOf(ruleFor('a/10099')), '1');
});
