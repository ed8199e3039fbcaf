import { createPublicKey, sign } from 'node:crypto';
import * as fc from 'fast-check';
import t from 'tap';
import { readCheckpoint } from '../../src/crypto/checkpoint.ts';
import { readDsseEnvelope } from '../../src/crypto/dsse.ts';
import { EnvelopeError } from '../../src/crypto/envelope-error.ts';
import { readLogEntry } from '../../src/crypto/log-entry.ts';
import { rootOfProof } from '../../src/crypto/merkle.ts';
import { readSignedCertificateTimestamp } from '../../src/crypto/signed-certificate-timestamp.ts';
import { verifyWithAny } from '../../src/crypto/sigstore-key.ts';
import { readTrustedRoot } from '../../src/trust/sigstore/trusted-root.ts';
import { TrustError } from '../../src/trust/trust-error.ts';
import { signSct } from '../support/fulcio-certificate.ts';
import { holds } from '../support/holds.ts';
import { entryBody, type EntryName, logEntries } from '../support/log-entries.ts';
import { mutationsOf } from '../support/mutations-of.ts';
import { makeChain } from '../support/test-ca.ts';
import { spkiOf, testKey } from '../support/test-keys.ts';
import { trustedRootJson } from '../support/trusted-root.ts';

/** Reads, or refuses as the reader says it does; anything else is thrown on. */
function tryRead(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof EnvelopeError) && !(error instanceof TrustError)) throw error;
  }
}

const envelope = Buffer.from(
  '{"payloadType":"a","payload":"AAAA","signatures":[{"sig":"AAAA","keyid":"k"}]}',
);
const checkpoint = Buffer.from(
  `log.test\n42\n${Buffer.alloc(32).toString('base64')}\n\n\u2014 log.test AAAAAAAAAAAA\n`,
);
const sct = signSct(makeChain().leaf.der, spkiOf(testKey('EC-256', 'acme/intermediate 0')));

const readers: Readonly<Record<string, [good: Uint8Array, read: (bytes: Uint8Array) => unknown]>> =
  {
    'a DSSE envelope': [envelope, (bytes) => readDsseEnvelope(bytes, 10_000)],
    'a checkpoint': [checkpoint, (bytes) => readCheckpoint(Buffer.from(bytes).toString('utf8'))],
    'a timestamp of certificate transparency': [sct, readSignedCertificateTimestamp],
    'a trusted root': [trustedRootJson(), readTrustedRoot],
  };

for (const [what, [good, read]] of Object.entries(readers)) {
  t.test(`whatever its bytes, ${what} is read or refused as malformed`, async (t) => {
    t.doesNotThrow(() => read(good));
    await holds(
      t,
      'some bytes changed',
      fc.property(mutationsOf(good), (bytes) => tryRead(() => read(bytes))),
    );
    await holds(
      t,
      'random bytes',
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => tryRead(() => read(bytes))),
    );
  });
}

t.test('whatever its bytes, a log entry is read or refused as malformed', async (t) => {
  const names = Object.keys(logEntries) as EntryName[];
  const body = fc.constantFrom(...names).chain((name) => mutationsOf(entryBody(name)));
  await holds(
    t,
    'some bytes changed',
    fc.property(body, (bytes) => tryRead(() => readLogEntry(bytes))),
  );
});

t.test('no random proof leads to a given root', async (t) => {
  const root = Buffer.alloc(32, 7);
  const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const proof = fc.record({
    index: fc.nat(),
    treeSize: fc.nat(),
    hashes: fc.array(hash, { maxLength: 70 }),
  });
  await holds(
    t,
    'random proofs',
    fc.property(hash, proof, (leaf, each) => {
      const found = rootOfProof(leaf, each);
      return found === undefined || !root.equals(found);
    }),
  );
});

t.test('a signature with any bit flipped is none', async (t) => {
  const key = testKey('EC-256', 'fuzz');
  const message = Buffer.from('message');
  const signature = sign('sha256', message, key);
  const publicKey = createPublicKey(key);
  t.ok(verifyWithAny(publicKey, message, signature));
  await holds(
    t,
    'one flipped bit',
    fc.property(fc.nat(signature.length * 8 - 1), (bit) => {
      const flipped = Buffer.from(signature);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return !verifyWithAny(publicKey, message, flipped);
    }),
  );
});
