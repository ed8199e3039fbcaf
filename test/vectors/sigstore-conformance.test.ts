import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { systemClock } from '../../src/kernel/clock.ts';
import { type BundleQuestion, verifyBundle } from '../conformance/verify-bundle.ts';
import { listVectors, type ReadVector, requireVectors, vectorPath } from '../support/vectors.ts';

// As the README of the vectors says: what a case does not bring along.
const beacon = 'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon';
const defaultIdentity = `${beacon}/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main`;
const defaultIssuer = 'https://token.actions.githubusercontent.com';

/** Every case of the public suite that is here; of those that must fail, the check that must see it. */
const cases: Readonly<Record<string, 'trusted' | readonly [check: string, because: RegExp]>> = {
  'bundle-unknown-version_fail': ['envelope-readable', /its version is not known/],
  'dsse-invalid-sig_fail': ['signature-verifies', /does not verify/],
  'happy-path-intoto-in-dsse-v3': 'trusted',
  'happy-path-v0.1': 'trusted',
  'happy-path-v0.2': 'trusted',
  'happy-path-v0.3': 'trusted',
  'happy-path-v0.3-new-mediaType': 'trusted',
  'incorrect-public-key_fail': ['log-entries', /signed entry timestamp/],
  'integrated-time-in-future_fail': ['certificate-chain', /not at 2026-05-07T15:34:11/],
  'intoto-expired-certificate_fail': ['certificate-chain', /is valid from 2030.*not at 2023/],
  'intoto-with-custom-trust-root': 'trusted',
  'invalid-inclusion-proof_fail': ['envelope-readable', /checkpoint is missing/],
  'managed-key-happy-path': 'trusted',
  'message-digest-mismatch_fail': ['payload-names-subject', /over other content: sha256:a1cf/],
  'rekor2-dsse-happy-path': 'trusted',
  'rekor2-happy-path': 'trusted',
  'rekor2-no-timestamp_fail': ['trusted-time', /nobody knows whether its certificate is valid/],
  'set-invalid-signature_fail': ['log-entries', /signed entry timestamp/],
  'wrong-hashedrekord-entry_fail': ['log-entries', /about another signature/],
};

/** Its key is no key at all, which the suite does not say. */
const unreadable = 'managed-key-wrong-key_fail';

function questionOf(read: ReadVector, name: string): BundleQuestion {
  const folder = vectorPath(`sigstore/${name}`);
  const files = listVectors(`sigstore/${name}`);
  const text = (file: string, otherwise: string): string =>
    files.includes(file) ? read(`sigstore/${name}/${file}`).toString().trim() : otherwise;
  const certificate = {
    certificateIdentity: text('identity', defaultIdentity),
    certificateOidcIssuer: text('issuer', defaultIssuer),
  };
  return {
    folder,
    bundle: 'bundle.sigstore.json',
    artifact: files.includes('artifact') ? 'artifact' : '../a.txt',
    signer: files.includes('key.pub') ? { key: 'key.pub' } : certificate,
    ...(files.includes('trusted_root.json') && { trustedRoot: 'trusted_root.json' }),
  };
}

for (const [name, expected] of Object.entries(cases)) {
  t.test(`${name} comes out as it is named`, async (t) => {
    const read = requireVectors(t);
    if (read === undefined) return;
    t.equal(expected === 'trusted', !name.endsWith('_fail'), 'the table says what the name says');
    const { outcome, checks } = await verifyBundle(questionOf(read, name), systemClock);
    t.equal(outcome, expected === 'trusted' ? 'trusted' : 'untrusted', JSON.stringify(checks));
    if (expected === 'trusted') return;
    const [id, because] = expected;
    const failed = checks.filter((check) => check.outcome === 'failed');
    t.match(failed, [{ id, because }]);
  });
}

t.test('every case is in the table', async (t) => {
  if (requireVectors(t) === undefined) return;
  const folders = listVectors('sigstore').filter((name) => !/\.(?:md|txt)$/.test(name));
  t.same(folders, [...Object.keys(cases), unreadable].toSorted());
});

t.test(`${unreadable}: a key that is none is refused, and another key fails`, async (t) => {
  const read = requireVectors(t);
  if (read === undefined) return;
  const question = questionOf(read, unreadable);
  await t.rejects(verifyBundle(question, systemClock), { message: /is no key to verify with/ });
  const key = vectorPath('gpg/cosign.pub');
  const { outcome, checks } = await verifyBundle({ ...question, signer: { key } }, systemClock);
  t.equal(outcome, 'untrusted');
  const failed = checks.filter((check) => check.outcome === 'failed');
  t.match(failed, [{ id: 'signature-verifies', because: /does not verify with the key/ }]);
});

t.test('held against a foreign artifact, no case is trusted', async (t) => {
  const read = requireVectors(t);
  if (read === undefined) return;
  const foreign = `sha256:${'0'.repeat(64)}`;
  for (const [name, expected] of Object.entries(cases)) {
    if (expected !== 'trusted') continue;
    const { checks } = await verifyBundle({ ...questionOf(read, name), artifact: foreign }, systemClock);
    const failed = checks.filter((check) => check.outcome === 'failed');
    t.match(failed, [{ id: 'payload-names-subject', because: /over other content/ }], name);
  }
});

t.test('by its digest alone an artifact verifies as by its file', async (t) => {
  const read = requireVectors(t);
  if (read === undefined) return;
  const artifact = 'sha256:a0cfc71271d6e278e57cd332ff957c3f7043fdda354c4cbb190a30d56efa01bf';
  const question = { ...questionOf(read, 'happy-path-v0.3'), artifact };
  t.equal((await verifyBundle(question, systemClock)).outcome, 'trusted');
});

const client = fileURLToPath(new URL('../conformance/sigstore.ts', import.meta.url));

function runClient(...given: readonly string[]): number | null {
  const env = { ...process.env, INIT_CWD: vectorPath('sigstore/managed-key-happy-path') };
  return spawnSync(process.execPath, [client, ...given], { env }).status;
}

t.test('the client of the suite exits with 0, 1, or 2 for what it was not made for', async (t) => {
  if (requireVectors(t) === undefined) return;
  const bundle = ['--bundle', 'bundle.sigstore.json'];
  const key = ['--key', 'key.pub'];
  t.equal(runClient('verify-bundle', ...bundle, ...key, '../a.txt'), 0);
  t.equal(runClient('verify-bundle', ...bundle, ...key, 'key.pub'), 1);
  t.equal(runClient('verify-bundle', ...bundle, ...key, 'nothing'), 1);
  t.equal(runClient('verify-bundle', ...bundle, '../a.txt'), 2);
  t.equal(runClient('sign-bundle', ...bundle, ...key, '../a.txt'), 2);
});
