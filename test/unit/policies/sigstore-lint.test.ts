import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { doubtsOfSigstore } from '../../../src/policies/sigstore-lint.ts';
import type { TrustedKey } from '../../../src/verdict/sigstore-requirement.ts';

const at = new Date('2030-01-01T00:00:00Z');
const before = new Date('2029-01-01T00:00:00Z');
const after = new Date('2031-01-01T00:00:00Z');
const { publicKey } = generateKeyPairSync('ed25519');

function doubts(validity: Partial<TrustedKey>, minLogs = 0): readonly string[] {
  const key = { name: 'acme.pub', publicKey, keyFingerprint: 'f', ...validity };
  const signer = { kind: 'keys', keys: [key] } as const;
  const none = { minTimestamps: 0, minCertificateLogs: 0, root: undefined, signedAs: [] };
  return doubtsOfSigstore({ signer, minLogs, ...none }, at);
}

t.test('a key in its time, or without one, is beyond doubt', async (t) => {
  t.same(doubts({}), []);
  t.same(doubts({ validFrom: before, validUntil: after }), []);
});

t.test('a key out of its time proves nothing without a trusted time', async (t) => {
  t.match(doubts({ validUntil: before }), [/key acme.pub ended 2029-01-01/]);
  t.match(doubts({ validFrom: after }), [/key acme.pub begins 2031-01-01/]);
  t.same(doubts({ validUntil: before }, 1), [], 'with one it may have been used in time');
});
