import { createHash } from 'node:crypto';
import t from 'tap';
import { toTufKey } from '../../../src/airgap/metadata-keys.ts';
import { signerOf } from '../../support/metadata-kit.ts';

t.test('an Ed25519 key is its 32 bytes in hex', async (t) => {
  const key = toTufKey(signerOf('root'));
  t.match(key, { keytype: 'ed25519', scheme: 'ed25519', public: /^[a-f0-9]{64}$/ });
});

t.test('a key on P-256 is PEM', async (t) => {
  const signer = signerOf('ecdsa-root');
  const key = toTufKey(signer);
  t.match(key, { keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp256', public: signer.publicKey });
});

t.test('the id is the hash of what canonical JSON makes of the key', async (t) => {
  // TUF specification, section 4.2: OLPC canonical JSON escapes no line feed.
  for (const name of ['root', 'ecdsa-root']) {
    const { id, keytype, scheme, public: text } = toTufKey(signerOf(name));
    const written = JSON.stringify({ keytype, keyval: { public: text }, scheme });
    const canonical = written.replaceAll(String.raw`\n`, '\n');
    t.equal(id, createHash('sha256').update(canonical).digest('hex'));
  }
});
