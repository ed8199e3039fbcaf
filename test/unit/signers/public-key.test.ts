import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openSigner } from '../../../src/signers/index.ts';

const folder = t.testdir();
const open = (uri: string) => openSigner(uri, { base: folder, environment: {} });
const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey;
const files: Readonly<Record<string, string | Buffer>> = {
  'alice.pub': pem,
  'private.pem': privateKey.export({ format: 'pem', type: 'pkcs8' }),
  'both.pem': `${pem}${privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()}`,
  'damaged.pub': '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n',
  'p384.pub': p384.export({ format: 'pem', type: 'spki' }),
};
for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);

t.test('a public key is known, and does not sign', async (t) => {
  const signer = await open('public:alice.pub');
  t.equal(signer.scheme, 'ed25519');
  t.ok(createPublicKey(signer.publicKey).equals(publicKey));
  const { signal } = new AbortController();
  await t.rejects(signer.sign(Buffer.from('message'), signal), { code: 'SIGNING_FAILED' });
});

for (const [uri, code] of [
  ['public:', 'KEY_URI_UNUSABLE'],
  ['public:alice.pub?x=y', 'KEY_URI_UNUSABLE'],
  ['public:none', 'KEY_UNREADABLE'],
  ['public:damaged.pub', 'KEY_UNREADABLE'],
  ['public:private.pem', 'KEY_UNSUPPORTED'],
  ['public:both.pem', 'KEY_UNSUPPORTED'],
  ['public:p384.pub', 'KEY_UNSUPPORTED'],
] as const) {
  t.test(`${uri} is refused: ${code}`, async (t) => {
    await t.rejects(open(uri), { code });
  });
}
