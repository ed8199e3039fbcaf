import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openSigner, signerKinds } from '../../../src/signers/index.ts';
import { makeLocalKey } from '../../../src/signers/local-key.ts';

const { signal } = new AbortController();
const message = Buffer.from('message');
const folder = t.testdir();
const context = { base: folder, environment: { PASSPHRASE: 'open sesame' } };
const open = (uri: string) => openSigner(uri, context);

const curve = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey;
const ecdsa = curve('P-256');
const plain = { format: 'pem', type: 'pkcs8' } as const;
const encrypted = { ...plain, cipher: 'aes-256-cbc', passphrase: 'open sesame' };

const files: Readonly<Record<string, string | Buffer>> = {
  'ecdsa.pem': ecdsa.export(plain),
  'encrypted.pem': ecdsa.export(encrypted),
  'passphrase.txt': 'open sesame\n',
  'wrong.txt': 'open barley',
  'sec1.pem': ecdsa.export({ format: 'pem', type: 'sec1' }),
  'public.pem': createPublicKey(ecdsa).export({ format: 'pem', type: 'spki' }),
  'p384.pem': curve('P-384').export(plain),
  'rsa.pem': generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export(plain),
  'two.pem': `${ecdsa.export(plain).toString()}${ecdsa.export(plain).toString()}`,
  'text.pem': 'none',
  'damaged.pem': '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
  'large.pem': Buffer.alloc(16 * 1024 + 1),
  'a key.pem': ecdsa.export(plain),
};
for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
mkdirSync(join(folder, 'folder'));
await makeLocalKey(join(folder, 'made.pem'));

t.test('a key that was made signs, and is for its owner alone', async (t) => {
  t.equal(statSync(join(folder, 'made.pem')).mode & 0o777, 0o600);
  const signer = await open('file:made.pem');
  t.equal(signer.scheme, 'ed25519');
  const signature = await signer.sign(message, signal);
  t.ok(verify(null, message, signer.publicKey, signature));
  t.match(signer.publicKey, /^-----BEGIN PUBLIC KEY-----\n/);
});

t.test('a key is never made over another one', async (t) => {
  await t.rejects(makeLocalKey(join(folder, 'made.pem')), { code: 'KEY_EXISTS' });
  await t.rejects(makeLocalKey(join(folder, 'none', 'made.pem')), { code: 'KEY_UNREADABLE' });
});

for (const uri of [
  'file:ecdsa.pem',
  `file:${folder}/ecdsa.pem`,
  `file://${folder}/ecdsa.pem`,
  'file:a%20key.pem',
  'file:encrypted.pem?passphrase-file=passphrase.txt',
  'file:encrypted.pem?passphrase-env=PASSPHRASE',
]) {
  t.test(`${uri.replace(folder, '')} signs with ECDSA as DER`, async (t) => {
    const signer = await open(uri);
    t.equal(signer.scheme, 'ecdsa-sha2-nistp256');
    const signature = await signer.sign(message, signal);
    t.equal(signature[0], 0x30);
    t.ok(verify('sha256', message, signer.publicKey, signature));
  });
}

for (const [uri, code, why] of [
  ['file:encrypted.pem', 'PASSPHRASE_UNUSABLE', /is encrypted: name its passphrase/],
  ['file:encrypted.pem?passphrase-file=wrong.txt', 'PASSPHRASE_UNUSABLE', /does not open/],
  ['file:encrypted.pem?passphrase-env=NONE', 'PASSPHRASE_UNUSABLE', /no "NONE"/],
  ['file:encrypted.pem?passphrase-file=none', 'KEY_UNREADABLE', /none can not be read/],
  ['file:encrypted.pem?passphrase=open', 'KEY_URI_UNUSABLE', /is not file:PATH/],
  ['file:encrypted.pem?passphrase-env=', 'KEY_URI_UNUSABLE', /is not file:PATH/],
  ['file:encrypted.pem?passphrase-env=A&passphrase-env=B', 'KEY_URI_UNUSABLE', /is not file:PATH/],
  ['file:', 'KEY_URI_UNUSABLE', /is not file:PATH/],
  ['file:%zz', 'KEY_URI_UNUSABLE', /is not file:PATH/],
  ['file://host/ecdsa.pem', 'KEY_URI_UNUSABLE', /is not file:PATH/],
  ['file:ecdsa.pem#here', 'KEY_URI_UNUSABLE', /is not file:PATH/],
  ['file:none.pem', 'KEY_UNREADABLE', /ENOENT/],
  ['file:folder', 'KEY_UNREADABLE', /EISDIR/],
  ['file:large.pem', 'KEY_UNREADABLE', /larger than 16384/],
  ['file:damaged.pem', 'KEY_UNREADABLE', /is no private key/],
  ['file:text.pem', 'KEY_UNSUPPORTED', /has nothing, not one PRIVATE KEY/],
  ['file:two.pem', 'KEY_UNSUPPORTED', /has 2 blocks/],
  ['file:sec1.pem', 'KEY_UNSUPPORTED', /has EC PRIVATE KEY/],
  ['file:public.pem', 'KEY_UNSUPPORTED', /has PUBLIC KEY/],
  ['file:p384.pem', 'KEY_UNSUPPORTED', /neither Ed25519 nor ECDSA on P-256/],
  ['file:rsa.pem', 'KEY_UNSUPPORTED', /neither Ed25519 nor ECDSA on P-256/],
  ['pkcs11:token=root', 'KEY_URI_UNUSABLE', /^pkcs11: comes later; a key is file:…, public:…$/],
  ['awskms:///alias/root', 'KEY_URI_UNUSABLE', /^awskms: comes later/],
  ['ecdsa.pem', 'KEY_URI_UNUSABLE', /^"ecdsa.pem" is no URI of a key/],
] as const) {
  t.test(`${uri} is refused: ${code}`, async (t) => {
    await t.rejects(open(uri), { code, message: why });
  });
}

t.test('nothing of a key or a passphrase is in an error', async (t) => {
  const error = await open('file:encrypted.pem?passphrase-file=wrong.txt').catch(String);
  t.notMatch(error, /barley/);
});

t.test('whoever has stopped gets no signature', async (t) => {
  const signer = await open('file:made.pem');
  await t.rejects(signer.sign(message, AbortSignal.abort(new Error('stopped'))), /stopped/);
});

t.test('each kind has a scheme of its own', async (t) => {
  const schemes = signerKinds.map(({ scheme }) => scheme);
  t.equal(new Set(schemes).size, schemes.length);
  t.ok(schemes.length > 0);
});

t.test('a passphrase, or a key, that was written into a URI is not repeated', async (t) => {
  const pem = files['ecdsa.pem'] as string;
  for (const uri of ['file:a.pem?passphrase=swordfish', 'a.pem?swordfish', 'public:a#swordfish']) {
    await t.rejects(open(uri), { code: 'KEY_URI_UNUSABLE', message: /^(?!.*swordfish)/s });
  }
  const told = await open(pem).catch((error: unknown) => String(error));
  t.match(told, /is no URI of a key/);
  t.notMatch(told, pem.split('\n')[1]);
});
