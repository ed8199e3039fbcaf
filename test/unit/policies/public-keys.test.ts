import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { parsePublicKey, readPublicKeys } from '../../../src/policies/public-keys.ts';
import type { Referred } from '../../../src/policies/referred.ts';
import { placeOf } from '../../support/policy-kit.ts';

const spki = { type: 'spki', format: 'pem' } as const;
const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const files: Readonly<Record<string, string>> = {
  'p256.pub': ec.publicKey.export(spki) as string,
  'p384.pub': generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).publicKey.export(
    spki,
  ) as string,
  'p521.pub': generateKeyPairSync('ec', { namedCurve: 'secp521r1' }).publicKey.export(
    spki,
  ) as string,
  'ed25519.pub': generateKeyPairSync('ed25519').publicKey.export(spki) as string,
  'rsa.pub': rsa.publicKey.export(spki) as string,
  'pkcs1.pub': rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }) as string,
  'weak.pub': generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export(spki) as string,
  'p256k1.pub': generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey.export(
    spki,
  ) as string,
  'private.key': ec.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  'text.pub': 'ssh-ed25519 AAAA',
};
const referred: Referred = {
  readFile: async (path) => {
    const content = files[path];
    if (content === undefined) throw new Error(`there is no ${path}`);
    return content;
  },
};

async function read(yaml: string, from: Referred = referred) {
  const { place, report, messages } = placeOf(yaml);
  return { keys: await readPublicKeys(place, from, report), messages: messages() };
}

for (const name of ['p256.pub', 'p384.pub', 'p521.pub', 'ed25519.pub', 'rsa.pub', 'pkcs1.pub']) {
  t.test(`${name} is a key to verify with`, async (t) => {
    const { keys, messages } = await read(`[${name}]`);
    t.same(messages, []);
    t.match(keys, { kind: 'keys', keys: [{ name, keyFingerprint: /^[0-9a-f]{64}$/ }] });
    t.equal(keys?.keys[0].publicKey.type, 'public');
  });
}

t.test('several keys may be named, each with the time of its own', async (t) => {
  const { keys, messages } = await read(
    '[p256.pub, { key: p384.pub, validFrom: 2029-01-01T00:00:00Z, validUntil: 2030-01-01T00:00:00Z }]',
  );
  t.same(messages, []);
  t.match(keys?.keys, [
    { name: 'p256.pub' },
    { name: 'p384.pub', validFrom: new Date('2029-01-01'), validUntil: new Date('2030-01-01') },
  ]);
  t.equal(keys?.keys[0].validUntil, undefined);
});

const bad = [
  ['p256.pub', /must be a list/],
  ['[nowhere.pub]', /"nowhere.pub" can not be read: there is no nowhere.pub/],
  ['[weak.pub]', /"weak.pub" is no key to verify with/],
  ['[p256k1.pub]', /"p256k1.pub" is no key to verify with/],
  ['[private.key]', /holds a private key: name its public key/],
  ['[text.pub]', /is not a public key in PEM/],
  ['[p256.pub, p256.pub]', /\[1\]: is the same key as "p256.pub"/],
  ['[rsa.pub, pkcs1.pub]', /is the same key as "rsa.pub"/],
  ['[{ file: p256.pub }]', /file: is not a known key/],
  ['[{ key: p256.pub, validUntil: tomorrow }]', /must be a time with zone/],
  [
    '[{ key: p256.pub, validFrom: 2030-01-01T00:00:00Z, validUntil: 2029-01-01T00:00:00Z }]',
    /validUntil: is before validFrom/,
  ],
  ['["https://keys.example/a.pub"]', /is no file and no key service; known are awskms, /],
] as const;

for (const [yaml, problem] of bad) {
  t.test(`refused: ${yaml}`, async (t) => {
    const { keys, messages } = await read(yaml);
    t.equal(keys, undefined);
    t.match(messages.join('\n'), problem);
  });
}

for (const scheme of ['awskms', 'gcpkms', 'azurekms', 'hashivault', 'pkcs11']) {
  t.test(`a key of ${scheme} without a way to it says what to do instead`, async (t) => {
    const { messages } = await read(`["${scheme}://key"]`);
    t.match(messages, [new RegExp(`keys of ${scheme}: can not be fetched .*cosign public-key`)]);
  });
}

t.test('a key in a Kubernetes secret without a way to it says what to do instead', async (t) => {
  t.match((await read('["k8s://ns/secret"]')).messages, [/keys of k8s: .*mount the secret/]);
});

t.test('a key service is asked once for each key, by the URI in the policy', async (t) => {
  const asked: string[] = [];
  const readKey = async (uri: string) => {
    asked.push(uri);
    return files['p256.pub'] ?? '';
  };
  const { keys, messages } = await read('["awskms:///alias/acme"]', { ...referred, readKey });
  t.same(messages, []);
  t.same(asked, ['awskms:///alias/acme']);
  t.equal(keys?.keys[0].name, 'awskms:///alias/acme');
});

t.test('a key of a service that can not be asked says what to do instead', async (t) => {
  const readKey = async () => undefined;
  const { keys, messages } = await read('["gcpkms://key"]', { ...referred, readKey });
  t.equal(keys, undefined);
  t.match(messages, [/keys of gcpkms: can not be fetched .*cosign public-key/]);
});

t.test('a key service that fails is told', async (t) => {
  const readKey = async () => Promise.reject(new Error('access denied'));
  const { messages } = await read('["k8s://ns/secret"]', { ...referred, readKey });
  t.match(messages, [/"k8s:\/\/ns\/secret" can not be read: access denied/]);
});

t.test('one file holds one key', async (t) => {
  const two = `${files['p256.pub']}${files['p384.pub']}`;
  t.match(parsePublicKey(two), { problem: /more than one PEM block/ });
  const certificate = files['p256.pub']?.replaceAll('PUBLIC KEY', 'CERTIFICATE') ?? '';
  t.match(parsePublicKey(certificate), { problem: /holds a CERTIFICATE/ });
});
