import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import t, { type Test } from 'tap';
import { makeSecret } from '../../../src/config/redact.ts';
import {
  type FakeKeyService,
  keyReaderOf,
  type KeyReaderSetting,
  type ScriptedAnswer,
  startKeyService,
} from '../../support/key-service.ts';

const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }) as string;
const ecPem = (): string =>
  pemOf(generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).publicKey);
const first = ecPem();
const second = ecPem();
const creation_time = '2026-01-01T00:00:00Z';

const data = {
  name: 'acme',
  type: 'ecdsa-p256',
  latest_version: 2,
  keys: {
    '1': { creation_time, name: 'P-256', public_key: first },
    '2': { creation_time, name: 'P-256', public_key: second },
  },
};
const ed25519 = generateKeyPairSync('ed25519').publicKey;
const rawEd25519 = Buffer.from(ed25519.export({ format: 'jwk' }).x ?? '', 'base64url');

const start = (t: Test, answered: unknown = data, other: Partial<ScriptedAnswer> = {}) =>
  startKeyService(t, () => ({ body: { data: answered }, ...other }));

type Vault = NonNullable<
  NonNullable<NonNullable<KeyReaderSetting['trust']>['keyReferences']>['vault']
>;

function read(
  service: FakeKeyService,
  uri: string,
  changed: Partial<Vault> = {},
  environment: Readonly<Record<string, string>> = {},
) {
  const configured = {
    url: `https://${service.host}`,
    token: makeSecret('hvs.ours'),
    ca: 'ca.pem',
  };
  const trust = { offline: false, keyReferences: { vault: { ...configured, ...changed } } };
  return keyReaderOf({ environment, files: { 'ca.pem': service.ca }, trust })(uri);
}

t.test('the latest version of a key is read, with the token', async (t) => {
  const service = await start(t);
  t.equal(await read(service, 'hashivault://acme'), second);
  t.match(service.calls, [
    { method: 'GET', path: '/v1/transit/keys/acme', headers: { authorization: 'Bearer hvs.ours' } },
  ]);
});

t.test('a stated version is read', async (t) => {
  t.equal(await read(await start(t), 'hashivault://acme/versions/1'), first);
});

t.test('the engine may be mounted elsewhere, in a namespace and behind a path', async (t) => {
  const service = await start(t);
  const url = `https://${service.host}/vault/`;
  await read(service, 'hashivault://acme', { url, mount: 'team/keys' });
  t.equal(service.calls[0]?.path, '/vault/v1/team/keys/keys/acme');
});

t.test("what the configuration leaves out is in Vault's variables", async (t) => {
  const service = await start(t);
  const vault = { ...unset('url'), ...unset('token') };
  const environment = {
    VAULT_ADDR: `https://${service.host}`,
    VAULT_TOKEN: 'hvs.theirs',
    TRANSIT_SECRET_ENGINE_PATH: '/other/',
  };
  t.equal(await read(service, 'hashivault://acme', vault, environment), second);
  t.match(service.calls, [
    { path: '/v1/other/keys/acme', headers: { authorization: 'Bearer hvs.theirs' } },
  ]);
});

t.test('an Ed25519 key, which Vault writes as its bytes, becomes PEM', async (t) => {
  const public_key = rawEd25519.toString('base64');
  const service = await start(t, { ...data, type: 'ed25519', keys: { '2': { public_key } } });
  t.equal(await read(service, 'hashivault://acme'), pemOf(ed25519));
});

const answers: readonly (readonly [string, unknown, Partial<ScriptedAnswer>, RegExp])[] = [
  ['refuses', data, { status: 403 }, /answers with status 403$/],
  ['is sealed', data, { status: 503 }, /answers with status 503$/],
  ['leads elsewhere', data, { status: 307, headers: { location: '/' } }, /status 307$/],
  ['answers with no JSON', data, { body: 'hvs.ours' }, /that is no JSON$/],
  ['answers without data', null, {}, /data is no object$/],
  ['answers with another key', { ...data, name: 'other' }, {}, /is another key$/],
  ['has no latest version', { ...data, latest_version: '2' }, {}, /latest_version is no number$/],
  ['has a latest version that is not there', { ...data, latest_version: 3 }, {}, /no version 3$/],
  ['says no type', { ...data, type: undefined }, {}, /type is no text$/],
  [
    'has a symmetric key',
    { ...data, type: 'aes256-gcm96', keys: { '2': 1_700_000_000 } },
    {},
    /has no public half$/,
  ],
  ['leaves the key out', { ...data, keys: { '2': {} } }, {}, /public_key is no text$/],
  [
    'has an Ed25519 key that is too short',
    {
      ...data,
      type: 'ed25519',
      keys: { '2': { public_key: rawEd25519.subarray(1).toString('base64') } },
    },
    {},
    /no Ed25519 key of 32 bytes$/,
  ],
];

for (const [what, answered, other, message] of answers) {
  t.test(`no key where Vault ${what}`, async (t) => {
    const service = await start(t, answered, other);
    const error: unknown = await read(service, 'hashivault://acme').catch((e: unknown) => e);
    t.match(error, { name: 'KeyReferenceError', message });
    t.notMatch(String(error), /hvs/, 'no token in the error');
    t.equal(service.calls.length, 1);
  });
}

t.test('a version that the key does not have is no key', async (t) => {
  await t.rejects(read(await start(t), 'hashivault://acme/versions/7'), {
    message: 'the key has no version 7',
  });
});

const unset = (name: string): Partial<Vault> => ({ [name]: undefined });
const settings: readonly (readonly [string, Partial<Vault>, RegExp])[] = [
  ['without an address', unset('url'), /vault\.url nor VAULT_ADDR is set$/],
  ['without a token', unset('token'), /vault\.token nor VAULT_TOKEN is set$/],
  ['with a token that no header may have', { token: makeSecret('hvs.a\nb') }, /^the token for/],
  ['by http', { url: 'http://127.0.0.1:1' }, /asked by https, or by http with .*plainHttp/],
  ['with an address that is none', { url: 'https://u@127.0.0.1' }, /is no URL of scheme, host/],
  ['with a mount that leads out', { mount: '../sys' }, /is no path such as transit$/],
  ['with CAs that are not there', { ca: 'none.pem' }, /can not be read from none\.pem$/],
];

for (const [what, changed, message] of settings) {
  t.test(`Vault is not asked ${what}`, async (t) => {
    const service = await start(t);
    const error: unknown = await read(service, 'hashivault://acme', changed).catch(
      (e: unknown) => e,
    );
    t.match(error, { code: 'KEY_SERVICE_NOT_CONFIGURED', message });
    t.notMatch(String(error), /hvs/);
    t.same(service.calls, []);
  });
}

for (const uri of [
  'hashivault://',
  'hashivault://acme/',
  'hashivault://acme/versions/0',
  'hashivault://acme/versions/latest',
  'hashivault://../sys/seal',
  'hashivault://acme?version=1',
  'hashivault://acme%2f',
]) {
  t.test(`no reference to a key of Vault: ${uri}`, async (t) => {
    const service = await start(t);
    await t.rejects(read(service, uri), {
      code: 'KEY_REFERENCE_MALFORMED',
      message: /^is not of the form hashivault:\/\/KEY/,
    });
    t.same(service.calls, []);
  });
}
