import t from 'tap';
import {
  readIdentities,
  requirementIn,
  requirementsOf,
  trustStoresOf,
} from '../../../src/policies/identities.ts';
import { placeOf } from '../../support/policy-kit.ts';

const file = JSON.stringify({
  version: '1.0',
  trustPolicies: [
    {
      name: 'app',
      registryScopes: ['ghcr.io/acme/app'],
      signatureVerification: { level: 'strict' },
      trustStores: ['ca:acme'],
      trustedIdentities: ['*'],
    },
    {
      name: 'db',
      registryScopes: ['ghcr.io/acme/db'],
      signatureVerification: { level: 'permissive' },
      trustStores: ['ca:other', 'tsa:clock'],
      trustedIdentities: ['*'],
    },
  ],
});

async function read(yaml: string) {
  const { place, report, messages } = placeOf(yaml);
  const readFile = async (path: string) => {
    if (path === 'trustpolicy.json') return file;
    throw new Error(`there is no ${path}`);
  };
  return { ...(await readIdentities(place, { readFile }, report)), messages: messages() };
}

const inline = '{ trustStores: ["ca:acme"], trustedIdentities: ["*"] }';

t.test('an identity is a Notation statement, strict unless told', async (t) => {
  const { identities, messages } = await read(`{ acme: { notation: ${inline} } }`);
  t.same(messages, []);
  const identity = identities.get('acme');
  t.match(identity && requirementIn('acme', identity, 'any/where'), {
    name: 'acme',
    notation: { level: 'strict', trustStores: ['ca:acme'], trustedIdentities: '*' },
  });
});

t.test('an identity by policy file demands what the file says for the scope', async (t) => {
  const { identities, messages } = await read(
    '{ acme: { notation: { policyFile: trustpolicy.json } } }',
  );
  t.same(messages, []);
  const identity = identities.get('acme');
  if (identity === undefined) return;
  t.match(requirementIn('acme', identity, 'ghcr.io/acme/app'), { notation: { level: 'strict' } });
  t.match(requirementIn('acme', identity, 'ghcr.io/acme/db'), {
    notation: { level: 'permissive' },
  });
  t.equal(requirementIn('acme', identity, 'ghcr.io/acme/web'), undefined);
  t.equal(requirementsOf(identity).length, 2);
  t.same(trustStoresOf(identity), ['ca:acme', 'ca:other', 'tsa:clock']);
});

t.test('no identities are none', async (t) => {
  const readFile = async () => '';
  const { identities, declared } = await readIdentities(undefined, { readFile }, () => undefined);
  t.equal(identities.size + declared.size, 0);
});

const bad = [
  ['[]', /must be a mapping of names/],
  ['{ a: {} }', /must have one of notation, sigstore/],
  ['{ a: { gpg: { publicKeys: [k] } } }', /gpg: is not supported by this version/],
  ['{ a: { pgp: {} } }', /pgp: is not a known key/],
  ['{ a: { notation: [] } }', /notation: must be a mapping/],
  ['{ a: { notation: { } } }', /trustStores is missing/],
  [
    '{ a: { notation: { policyFile: absent.json } } }',
    /policyFile: can not be read: there is no absent/,
  ],
  ['{ a: { notation: { policyFile: "" } } }', /policyFile: must not be empty/],
  [
    '{ a: { notation: { policyFile: trustpolicy.json, level: strict } } }',
    /level: is not a known key/,
  ],
  [`{ "a b": { notation: ${inline} } }`, /is no name/],
  [`{ __proto__: { notation: ${inline} } }`, /is no name/],
  [
    '{ a: { notation: { level: lax, trustStores: ["ca:a"], trustedIdentities: ["*"] } } }',
    /level: must be/,
  ],
  [
    '{ a: { notation: { trustStores: ["ca:a"], trustedIdentities: ["*"], scopes: [] } } }',
    /scopes: is not a known/,
  ],
] as const;

for (const [yaml, problem] of bad) {
  t.test(`refused: ${yaml}`, async (t) => {
    t.match((await read(yaml)).messages.join('\n'), problem);
  });
}

t.test(
  'a name that does not load is still declared, so that rules do not complain too',
  async (t) => {
    const { identities, declared } = await read('{ a: { notation: {} } }');
    t.notOk(identities.has('a'));
    t.ok(declared.has('a'));
  },
);
