import { makeChain } from '../../support/test-ca.ts';
import {
  type Case,
  type CaseOptions,
  makeCase,
  policyOf,
  root,
  signature,
  type Statement,
  usualTrustStore,
} from './case.ts';

type Row = readonly [
  title: string,
  policy: NonNullable<CaseOptions['policy']>,
  notation: Case['notation'],
  options?: CaseOptions,
];

const document = (members: Record<string, unknown>) => (): string =>
  JSON.stringify({ ...(JSON.parse(policyOf()) as object), ...members });

const several =
  (...statements: readonly ((scope: string) => Statement)[]) =>
  (scope: string): string =>
    policyOf(...statements.map((statement) => statement(scope)));

const broken = /trust polic|scope|malformed/i;
const strange: Statement = { trustStores: ['ca:strange'] };

const documents: readonly Row[] = [
  ['of another version', document({ version: '2.0' }), /version/],
  ['without a version', document({ version: undefined }), /version/],
  ['whose version is a number', document({ version: 1 }), /malformed/],
  ['without statements', document({ trustPolicies: [] }), /zero trust policy statements/],
  [
    'without a list of statements',
    document({ trustPolicies: undefined }),
    /zero trust policy statements/,
  ],
  [
    'with a member nobody knows',
    document({ comment: 'hello' }),
    'accepts',
    { difference: 'strict-policy-file' },
  ],
  [
    'whose statement has a member nobody knows',
    () => policyOf({ note: 'x' } as Statement),
    'accepts',
    { difference: 'strict-policy-file' },
  ],
  [
    'that writes version in capitals',
    () => policyOf().replace('"version"', '"Version"'),
    'accepts',
    { difference: 'strict-policy-file' },
  ],
  [
    'that states the version twice',
    () => policyOf().replace('{', '{"version":"0.9",'),
    'accepts',
    { difference: 'strict-policy-file' },
  ],
  [
    'with text after the JSON',
    () => `${policyOf()} hello`,
    'accepts',
    { difference: 'strict-policy-file' },
  ],
  ['that is no JSON', () => 'version: 1.0', /malformed/],
  ['that is cut', () => policyOf().slice(0, -1), /malformed/],
  ['that is empty', () => '', /malformed/],
  ['with a byte order mark', () => `\ufeff${policyOf()}`, /malformed/],
];

const names: readonly Row[] = [
  ['whose statement has no name', { name: undefined }, /name/],
  ['whose statement has an empty name', { name: '' }, /name/],
  [
    'with two statements of one name',
    several(
      () => ({ name: 'a' }),
      (scope) => ({ name: 'a', registryScopes: [scope] }),
    ),
    /same name/,
  ],
];

const scopes: readonly Row[] = [
  ['for the very repository', (scope) => policyOf({ registryScopes: [scope] }), 'accepts'],
  [
    'for two repositories, this one too',
    (scope) => policyOf({ registryScopes: ['registry.acme.example/other', scope] }),
    'accepts',
  ],
  [
    'for another repository',
    { registryScopes: ['registry.acme.example/other'] },
    /no applicable trust policy/,
  ],
  [
    'for the same repository of another registry',
    (scope) => policyOf({ registryScopes: [scope.replace(/^[^/]+/, 'registry.acme.example')] }),
    /no applicable trust policy/,
  ],
  [
    'for the folder that the repository is in',
    (scope) => policyOf({ registryScopes: [scope.replace(/\/[^/]+$/, '')] }),
    /no applicable trust policy/,
  ],
  [
    'for a longer repository',
    (scope) => policyOf({ registryScopes: [`${scope}/more`] }),
    /no applicable trust policy/,
  ],
  ['without scopes', { registryScopes: [] }, /zero registry scopes/],
  [
    'for every repository and one',
    (scope) => policyOf({ registryScopes: ['*', scope] }),
    /wildcard/,
  ],
  [
    'for a pattern',
    (scope) => policyOf({ registryScopes: [scope.replace(/\/[^/]+$/, '/*')] }),
    /wild card/,
  ],
  ['for a repository with a tag', (scope) => policyOf({ registryScopes: [`${scope}:v1`] }), broken],
  [
    'for a repository with a digest',
    (scope) => policyOf({ registryScopes: [`${scope}@sha256:00`] }),
    broken,
  ],
  [
    'for a repository with a scheme',
    (scope) => policyOf({ registryScopes: [`http://${scope}`] }),
    broken,
  ],
  ['for a registry alone', { registryScopes: ['registry.acme.example'] }, broken],
  [
    'for a repository in capitals',
    (scope) => policyOf({ registryScopes: [scope, 'registry.acme.example/Other'] }),
    broken,
  ],
  ['for an empty scope', { registryScopes: [''] }, broken],
  [
    'with one scope in two statements',
    several(
      (scope) => ({ registryScopes: [scope] }),
      (scope) => ({ registryScopes: [scope] }),
    ),
    /multiple trust policy statements/,
  ],
  [
    'with one scope twice in a statement',
    (scope) => policyOf({ registryScopes: [scope, scope] }),
    /multiple trust policy statements/,
  ],
  [
    'with two statements for every repository',
    several(
      () => ({}),
      () => ({}),
    ),
    /multiple trust policy statements/,
  ],
  [
    'whose exact statement trusts, and the one for every repository does not',
    several(
      () => strange,
      (scope) => ({ registryScopes: [scope] }),
    ),
    'accepts',
  ],
  [
    'whose exact statement does not trust, and the one for every repository does',
    several(
      () => ({}),
      (scope) => ({ ...strange, registryScopes: [scope] }),
    ),
    /trusted certificate|authenticity/,
  ],
  [
    'with another statement for another repository',
    several(
      () => ({}),
      () => ({ ...strange, registryScopes: ['registry.acme.example/other'] }),
    ),
    'accepts',
  ],
];

const stores: readonly Row[] = [
  ['without trust stores', { trustStores: [] }, /trust stores/],
  ['whose trust store has no type', { trustStores: ['acme'] }, /trust store/],
  ['whose trust store has a type nobody knows', { trustStores: ['root:acme'] }, /trust store/],
  ['whose trust store has a type in capitals', { trustStores: ['CA:acme'] }, /trust store/],
  ['whose trust store leads elsewhere', { trustStores: ['ca:../acme'] }, /trust store/],
  ['whose trust store has no name', { trustStores: ['ca:'] }, /trust store/],
  ['whose trust store has a name with a space', { trustStores: ['ca:ac me'] }, /trust store/],
  ['whose trust store is not there', { trustStores: ['ca:absent'] }, /authenticity/],
  [
    'with a trust store of the other scheme alone',
    { trustStores: ['signingAuthority:acme'] },
    /authenticity/,
  ],
  [
    'with a trust store for timestamps alone',
    { trustStores: ['tsa:acme'] },
    /authenticity/,
    { trustStore: { 'tsa/acme/root.pem': root.pem } },
  ],
  ['with one trust store twice', { trustStores: ['ca:acme', 'ca:acme'] }, 'accepts'],
  [
    'with a trust store that does not know the root, and one that does',
    { trustStores: ['ca:strange', 'ca:acme'] },
    'accepts',
    {
      trustStore: {
        ...usualTrustStore,
        'ca/strange/root.pem': makeChain({ authority: 'strange' }).root.pem,
      },
    },
  ],
  [
    'with a trust store that is not there, and one that knows the root',
    { trustStores: ['ca:absent', 'ca:acme'] },
    /authenticity/,
    { difference: 'absent-trust-store' },
  ],
];

const options: readonly Row[] = [
  ['without signature verification', { signatureVerification: undefined }, /level/],
  ['with a level nobody knows', { signatureVerification: { level: 'lenient' } }, /level/],
  ['with a level in capitals', { signatureVerification: { level: 'Strict' } }, /level/],
  [
    'with an empty override',
    { signatureVerification: { level: 'strict', override: {} } },
    'accepts',
  ],
  [
    'that overrides integrity',
    { signatureVerification: { level: 'strict', override: { integrity: 'log' } } },
    /integrity/,
  ],
  [
    'that overrides a check nobody knows',
    { signatureVerification: { level: 'strict', override: { luck: 'log' } } },
    /luck/,
  ],
  [
    'that overrides with an action nobody knows',
    { signatureVerification: { level: 'strict', override: { expiry: 'warn' } } },
    /warn/,
  ],
  ...(['authenticity', 'authenticTimestamp', 'expiry'] as const).map((check): Row => [
    `that skips ${check}`,
    { signatureVerification: { level: 'strict', override: { [check]: 'skip' } } },
    /skip/,
  ]),
  [
    'that skips revocation',
    { signatureVerification: { level: 'strict', override: { revocation: 'skip' } } },
    'accepts',
  ],
  [
    'that overrides at level skip',
    (scope) =>
      policyOf({
        registryScopes: [scope],
        signatureVerification: { level: 'skip', override: { expiry: 'log' } },
        trustStores: [],
        trustedIdentities: [],
      }),
    /skip/,
  ],
  [
    'that skips, and has trust stores all the same',
    (scope) => policyOf({ registryScopes: [scope], signatureVerification: { level: 'skip' } }),
    /skip/,
  ],
  [
    'that verifies timestamps always, without a store for them',
    { signatureVerification: { level: 'strict', verifyTimestamp: 'always' } },
    'accepts',
  ],
  [
    'that verifies timestamps after expiry, without a store for them',
    { signatureVerification: { level: 'strict', verifyTimestamp: 'afterCertExpiry' } },
    'accepts',
  ],
  [
    'that verifies timestamps sometimes',
    { signatureVerification: { level: 'strict', verifyTimestamp: 'sometimes' } },
    /verifyTimestamp/,
  ],
];

const rows = [...documents, ...names, ...scopes, ...stores, ...options];

/** Trust policies, held against a signature that the usual one accepts. */
export const policyCases: readonly Case[] = rows.map(([title, policy, notation, more]) =>
  makeCase(`a trust policy ${title}`, [signature('jws')], notation, { policy, ...more }),
);
