import t from 'tap';
import { readFields } from '../../../src/policies/document-reader.ts';
import { readStatement } from '../../../src/policies/notation-statement.ts';
import { placeOf } from '../../support/policy-kit.ts';

function read(stores: string, identities: string) {
  const yaml = `{ trustStores: ${stores}, trustedIdentities: ${identities} }`;
  const { place, report, messages } = placeOf(yaml);
  const keys = { optional: ['trustStores', 'trustedIdentities'] };
  const fields = readFields(place, keys, report) ?? new Map();
  const statement = readStatement(
    { level: 'strict', verification: new Map(), trust: fields },
    place,
    report,
  );
  return { statement, messages: messages() };
}

const store = '["ca:acme"]';
const dn = 'C=US, ST=WA, O=acme';

t.test('every type of store may be named, each store counts once', async (t) => {
  const names = '["ca:a.b_c-D", "signingAuthority:x", "tsa:y", "ca:a.b_c-D"]';
  t.same(read(names, '["*"]').statement?.trustStores, [
    'ca:a.b_c-D',
    'signingAuthority:x',
    'tsa:y',
  ]);
});

for (const name of [
  'acme',
  'CA:acme',
  'x509:acme',
  'ca:',
  'ca:a/b',
  'ca:a b',
  'ca:.',
  'ca:..',
  'ca:ä',
]) {
  t.test(`${JSON.stringify(name)} is no trust store`, async (t) => {
    const { statement, messages } = read(JSON.stringify([name]), '["*"]');
    t.equal(statement, undefined);
    t.match(messages, [/is no trust store/]);
  });
}

t.test('the star stands alone', async (t) => {
  t.equal(read(store, '["*"]').statement?.trustedIdentities, '*');
  t.match(read(store, `["*", "x509.subject: ${dn}"]`).messages, [/must stand alone/]);
});

const badIdentities = [
  ['C=US, ST=WA, O=acme', /is no identity/],
  ['x509.subject C=US', /is no identity/],
  ['x509.issuer: C=US', /is no identity/],
  ['X509.subject: C=US', /is no identity/],
  ['x509.subject: C=US', /must have C, ST and O/],
  ['x509.subject:', /TYPE=VALUE/],
] as const;

for (const [text, problem] of badIdentities) {
  t.test(`${text} is no trusted identity`, async (t) => {
    const { statement, messages } = read(store, JSON.stringify([text]));
    t.equal(statement, undefined);
    t.match(messages, [problem]);
  });
}

t.test('one name that fits another is a mistake, whatever the order of attributes', async (t) => {
  const longer = 'x509.subject: CN=app, O=acme, S=WA, C=US';
  for (const list of [
    [`x509.subject: ${dn}`, longer],
    [longer, `x509.subject: ${dn}`],
    [longer, longer],
  ]) {
    t.match(read(store, JSON.stringify(list)).messages, [/overlaps/]);
  }
  const other = 'x509.subject: CN=db, O=acme, ST=WA, C=US';
  t.same(read(store, JSON.stringify([longer, other])).messages, []);
});

t.test('every bad item of a list is reported', async (t) => {
  const { messages } = read('["a", "b"]', '["c", "d"]');
  t.equal(messages.length, 4);
});

function readWith(level: 'strict' | 'skip' | undefined, yaml: string) {
  const { place, report, messages } = placeOf(yaml);
  const lists = ['trustStores', 'trustedIdentities'];
  const optional = ['override', 'verifyTimestamp', 'revocationTime', ...lists];
  const fields = readFields(place, { optional }, report) ?? new Map();
  return {
    statement: readStatement({ level, verification: fields, trust: fields }, place, report),
    messages: messages(),
  };
}

const trust = 'trustStores: ["ca:a"], trustedIdentities: ["*"]';

t.test('overrides and verifyTimestamp change what the level says', async (t) => {
  const yaml = `{ override: { expiry: log }, verifyTimestamp: afterCertExpiry, ${trust} }`;
  t.match(readWith('strict', yaml).statement, {
    enforcement: { expiry: 'log', revocation: 'enforce' },
    verifyTimestamp: 'afterCertExpiry',
  });
});

t.test('revocation is judged now unless the policy says otherwise', async (t) => {
  t.match(readWith('strict', `{ ${trust} }`).statement, { revocationTime: 'now' });
  const yaml = `{ revocationTime: signing-time, ${trust} }`;
  t.match(readWith('strict', yaml).statement, { revocationTime: 'signing-time' });
  const { messages } = readWith('strict', `{ revocationTime: never, ${trust} }`);
  t.match(messages, [/must be now or signing-time/]);
});

t.test('level skip has neither overrides nor whom to trust', async (t) => {
  t.match(readWith('skip', '{}').statement, { level: 'skip', trustStores: [] });
  t.match(readWith('skip', '{ trustStores: [], trustedIdentities: [] }').messages, []);
  t.match(readWith('skip', '{ override: { expiry: log } }').messages, [/not allowed/]);
  t.match(readWith('skip', '{ trustStores: ["ca:a"] }').messages, [/must be absent or empty/]);
  t.match(readWith('skip', '{ trustedIdentities: "*" }').messages, [/must be absent or empty/]);
});

t.test('every level but skip needs both lists', async (t) => {
  const { statement, messages } = readWith('strict', '{}');
  t.equal(statement, undefined);
  t.match(messages, [/trustStores is missing/, /trustedIdentities is missing/]);
});

t.test('bad overrides are refused one by one', async (t) => {
  const { statement, messages } = readWith(
    'strict',
    `{ override: { integrity: log, expiry: skip, revocation: 1 }, ${trust} }`,
  );
  t.equal(statement, undefined);
  t.match(messages, [/integrity: integrity can not/, /expiry: only revocation/, /must be text/]);
  t.match(readWith('strict', `{ override: [], ${trust} }`).messages, [/must be a mapping/]);
  t.match(readWith('strict', `{ verifyTimestamp: never, ${trust} }`).messages, [/must be always/]);
});

t.test('a level that did not load leaves no statement', async (t) => {
  t.equal(readWith(undefined, `{ ${trust} }`).statement, undefined);
});
