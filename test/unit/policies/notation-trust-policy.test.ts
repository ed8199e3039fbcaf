import t from 'tap';
import { readNotationTrustPolicy } from '../../../src/policies/notation-trust-policy.ts';
import { placeOf } from '../../support/policy-kit.ts';
import { requireVectors } from '../../support/vectors.ts';

function read(text: string) {
  const { place, report, messages } = placeOf('file.json');
  return { policy: readNotationTrustPolicy(text, place, report), messages: messages() };
}

const vectors: readonly (readonly [name: string, problem: RegExp | undefined])[] = [
  ['empty_registry_scope', /registryScopes: must not be empty/],
  ['malformed_trusted_identity', /is no identity/],
  ['multi_statements_with_the_same_registry_scope', /test-repo8" stands twice/],
  ['multiple_trusted_identity', undefined],
  ['overlapped_trusted_identity', /overlaps/],
  ['override_strict', undefined],
  ['permissive', undefined],
  ['quickstart', undefined],
  ['registry_scope', undefined],
  // The specification forbids what this file of the tool's own tests has.
  ['skip', /level skip must not be for every repository/],
  ['timestamp_after_cert_expiry', undefined],
  ['timestamp', undefined],
];

for (const [name, problem] of vectors) {
  const verdict = problem === undefined ? 'loads' : 'is refused';
  t.test(`Notation's own ${name}_trustpolicy.json ${verdict}`, async (t) => {
    const readVector = requireVectors(t);
    if (readVector === undefined) return;
    const text = readVector(`notation/trustpolicies/${name}_trustpolicy.json`).toString();
    const { policy, messages } = read(text);
    t.match(messages, problem === undefined ? [] : [problem]);
    t.equal(messages.length, problem === undefined ? 0 : 1);
    if (problem === undefined) t.ok(policy);
  });
}

interface StatementShape {
  readonly [key: string]: unknown;
}

const statement = (changes: StatementShape = {}): StatementShape => ({
  name: 'one',
  registryScopes: ['ghcr.io/acme/app'],
  signatureVerification: { level: 'strict' },
  trustStores: ['ca:acme'],
  trustedIdentities: ['x509.subject: C=US, ST=WA, O=acme'],
  ...changes,
});

const policyOf = (...trustPolicies: readonly StatementShape[]): string =>
  JSON.stringify({ version: '1.0', trustPolicies });

t.test('a statement is read with its level, stores and identities', async (t) => {
  const { policy } = read(policyOf(statement()));
  t.match(policy?.statementFor('ghcr.io/acme/app'), {
    name: 'one',
    requirement: {
      level: 'strict',
      enforcement: { revocation: 'enforce' },
      verifyTimestamp: 'always',
      trustStores: ['ca:acme'],
    },
  });
  const names = policy?.statements[0]?.requirement.trustedIdentities;
  t.same(names === '*' ? [] : names?.map((name) => [...name]), [
    [
      ['C', 'US'],
      ['ST', 'WA'],
      ['O', 'acme'],
    ],
  ]);
});

t.test('an exact scope beats the one for all, and no scope is no statement', async (t) => {
  const all = statement({ name: 'all', registryScopes: ['*'] });
  const { policy } = read(policyOf(all, statement()));
  t.equal(policy?.statementFor('ghcr.io/acme/app')?.name, 'one');
  t.equal(policy?.statementFor('ghcr.io/acme/other')?.name, 'all');
  t.equal(read(policyOf(statement())).policy?.statementFor('ghcr.io/acme/other'), undefined);
});

t.test('a scope matches exactly, in its case and as a whole', async (t) => {
  const { policy } = read(policyOf(statement()));
  for (const scope of ['ghcr.io/acme/App', 'ghcr.io/acme', 'ghcr.io/acme/app/x', 'constructor']) {
    t.equal(policy?.statementFor(scope), undefined, scope);
  }
});

t.test('level skip is for named repositories, without stores and identities', async (t) => {
  const bare = { trustStores: [], trustedIdentities: [] };
  const skip = statement({ ...bare, signatureVerification: { level: 'skip' } });
  t.equal(read(policyOf(skip)).policy?.statements[0]?.requirement.level, 'skip');
});

t.test('overrides and verifyTimestamp are read', async (t) => {
  const signatureVerification = {
    level: 'permissive',
    override: { expiry: 'enforce', revocation: 'skip' },
    verifyTimestamp: 'afterCertExpiry',
  };
  t.match(read(policyOf(statement({ signatureVerification }))).policy?.statements[0], {
    requirement: {
      enforcement: { expiry: 'enforce', revocation: 'skip', authenticTimestamp: 'log' },
      verifyTimestamp: 'afterCertExpiry',
    },
  });
});

const verification = (changes: object) => ({
  signatureVerification: { level: 'strict', ...changes },
});

const bad: readonly { what: string; text: string; problem: RegExp }[] = [
  { what: 'no JSON', text: 'version: "1.0"', problem: /the file is no JSON/ },
  {
    what: 'a key that stands twice',
    text: '{"version":"1.0","version":"1.0","trustPolicies":[]}',
    problem: /stands twice/,
  },
  { what: 'a list at the top', text: '[]', problem: /must be a mapping/ },
  {
    what: 'another version',
    text: policyOf(statement()).replace('1.0', '1.1'),
    problem: /version: must be 1.0/,
  },
  {
    what: 'a number as version',
    text: policyOf(statement()).replace('"1.0"', '1.0'),
    problem: /version/,
  },
  {
    what: 'no version',
    text: '{"trustPolicies":[]}',
    problem: /must not be empty|version is missing/,
  },
  { what: 'no statement', text: policyOf(), problem: /trustPolicies: must not be empty/ },
  {
    what: 'an unknown key at the top',
    text: policyOf(statement()).replace('{"version"', '{"extra":1,"version"'),
    problem: /extra: is not a known key/,
  },
  {
    what: 'a key in another case, which Go would take',
    text: policyOf(statement()).replace('"trustStores"', '"TrustStores"'),
    problem: /TrustStores: is not a known key/,
  },
  {
    what: 'a name that stands twice',
    text: policyOf(statement(), statement({ registryScopes: ['a/b'] })),
    problem: /"one" stands twice/,
  },
  {
    what: 'an empty name',
    text: policyOf(statement({ name: '' })),
    problem: /name: must not be empty/,
  },
  {
    what: 'no level',
    text: policyOf(statement({ signatureVerification: {} })),
    problem: /level is missing/,
  },
  {
    what: 'an unknown level',
    text: policyOf(statement(verification({ level: 'Strict' }))),
    problem: /must be strict or/,
  },
  {
    what: 'an override of integrity',
    text: policyOf(statement(verification({ override: { integrity: 'log' } }))),
    problem: /integrity can not/,
  },
  {
    what: 'a skip of expiry',
    text: policyOf(statement(verification({ override: { expiry: 'skip' } }))),
    problem: /only revocation/,
  },
  {
    what: 'an override that is a list',
    text: policyOf(statement(verification({ override: [] }))),
    problem: /override: must be a mapping/,
  },
  {
    what: 'what our own policy has and the format has not',
    text: policyOf(statement(verification({ revocationTime: 'signing-time' }))),
    problem: /is not a known/,
  },
  {
    what: 'an unknown verifyTimestamp',
    text: policyOf(statement(verification({ verifyTimestamp: 'never' }))),
    problem: /must be always or/,
  },
  {
    what: 'an override beside skip',
    text: policyOf(
      statement({
        ...verification({ level: 'skip', override: { expiry: 'log' } }),
        trustStores: [],
        trustedIdentities: [],
      }),
    ),
    problem: /not allowed where level is skip/,
  },
  {
    what: 'trust stores beside skip',
    text: policyOf(statement({ ...verification({ level: 'skip' }), trustedIdentities: [] })),
    problem: /trustStores: must be absent or empty/,
  },
  {
    what: 'identities beside skip',
    text: policyOf(statement({ ...verification({ level: 'skip' }), trustStores: [] })),
    problem: /trustedIdentities: must be absent or empty/,
  },
  {
    what: 'no trust stores',
    text: policyOf(statement({ trustStores: undefined })),
    problem: /trustStores is missing/,
  },
  {
    what: 'no identities',
    text: policyOf(statement({ trustedIdentities: undefined })),
    problem: /trustedIdentities is missing/,
  },
  {
    what: 'empty trust stores',
    text: policyOf(statement({ trustStores: [] })),
    problem: /trustStores: must not be empty/,
  },
  {
    what: 'empty identities',
    text: policyOf(statement({ trustedIdentities: [] })),
    problem: /trustedIdentities: must not be empty/,
  },
  {
    what: 'the star among scopes',
    text: policyOf(statement({ registryScopes: ['*', 'a/b'] })),
    problem: /"\*" must stand alone/,
  },
  {
    what: 'a scope with a star in it',
    text: policyOf(statement({ registryScopes: ['a/*'] })),
    problem: /is no repository/,
  },
  {
    what: 'a scope with a tag',
    text: policyOf(statement({ registryScopes: ['a/b:1'] })),
    problem: /is no repository/,
  },
  {
    what: 'a scope with a scheme',
    text: policyOf(statement({ registryScopes: ['https://a/b'] })),
    problem: /is no repository/,
  },
  {
    what: 'a scope that is only a host',
    text: policyOf(statement({ registryScopes: ['a'] })),
    problem: /is no repository/,
  },
  {
    what: 'a scope that stands twice in one statement',
    text: policyOf(statement({ registryScopes: ['a/b', 'a/b'] })),
    problem: /"a\/b" stands twice/,
  },
  {
    what: 'two statements for all',
    text: policyOf(
      statement({ registryScopes: ['*'] }),
      statement({ name: 'two', registryScopes: ['*'] }),
    ),
    problem: /"\*" stands twice/,
  },
];

for (const { what, text, problem } of bad) {
  t.test(`refused: ${what}`, async (t) => {
    t.match(read(text).messages.join('\n'), problem);
  });
}

t.test('problems of several statements come together, with where in the file', async (t) => {
  const broken = [statement({ name: '' }), statement({ trustStores: ['acme'] })];
  const { messages } = read(policyOf(...broken));
  t.match(messages, [
    /^\$ \$\.trustPolicies\[0\]\.name: /,
    /trustPolicies\[1\]\.trustStores\[0\]: /,
  ]);
});
