import { generateKeyPairSync } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { initKeys, rotateKeys, signDraft } from '../../../src/airgap/key-ceremony.ts';
import type { CeremonyTools } from '../../../src/airgap/key-ring.ts';
import { openKeys } from '../../../src/airgap/keys.ts';
import { keyIdsOf } from '../../../src/airgap/metadata-model.ts';
import { verifyMetadata } from '../../../src/airgap/metadata-reader.ts';
import { writeMetadata } from '../../../src/airgap/metadata-writer.ts';
import { openSigner } from '../../../src/signers/index.ts';
import { makeLocalKey } from '../../../src/signers/local-key.ts';
import { stream } from '../../support/airgap-kit.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';

const { signal } = new AbortController();
const expires = new Date('2031-01-01T00:00:00Z');
const later = new Date('2032-01-01T00:00:00Z');

const toolsOf = (folder: string): CeremonyTools => ({
  openKey: (uri) => openSigner(uri, { base: folder, environment: {} }),
  makeKey: makeLocalKey,
  signal,
});
const plain = { stream, expires, uris: {}, thresholds: {} };
const same = { roles: [], expires, uris: {}, thresholds: {} } as const;

async function init(t: Test): Promise<string> {
  const folder = join(t.testdir(), 'keys');
  await initKeys({ folder, ...plain }, toolsOf(folder));
  return folder;
}

/** A bundle by the keys of the folder, verified from its first root on. */
async function exportAndVerify(t: Test, keyFolder: string) {
  const folder = join(t.testdirName, `bundle-${readdirSync(t.testdirName).length}`);
  const keys = await openKeys(keyFolder, toolsOf(keyFolder).openKey);
  const end = new Date('2030-06-01T00:00:00Z');
  await writeMetadata({
    folder,
    keys,
    sequence: 1,
    targets: [],
    expires: { targets: end, snapshot: end, timestamp: end },
    clock: makeFakeClock(),
    signal,
  });
  const root = readFileSync(join(keyFolder, '1.root.json'));
  const now = new Date('2030-01-01T00:00:00Z');
  return verifyMetadata({ folder, trusted: { root, seen: undefined }, now });
}

/** Two people, each with a key of their own. */
function people(folder: string): readonly string[] {
  return ['alice', 'bob'].map((name) => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    writeFileSync(join(folder, `${name}.pub`), publicKey.export({ format: 'pem', type: 'spki' }));
    const pem = privateKey.export({ format: 'pem', type: 'pkcs8' });
    writeFileSync(join(folder, `${name}.pem`), pem);
    return `public:../${name}.pub`;
  });
}

t.test('keys that were made sign a bundle of their stream', async (t) => {
  const folder = await init(t);
  const verified = await exportAndVerify(t, folder);
  t.equal(verified.stream, stream);
  t.strictSame(readdirSync(folder), [
    '1.keys.json',
    '1.root.json',
    'root-1.pem',
    'snapshot-1.pem',
    'targets-1.pem',
    'timestamp-1.pem',
  ]);
});

t.test('an export does without the root key', async (t) => {
  const folder = await init(t);
  rmSync(join(folder, 'root-1.pem'));
  t.equal((await exportAndVerify(t, folder)).stream, stream);
});

t.test('keys are never made over others', async (t) => {
  const folder = await init(t);
  const before = readFileSync(join(folder, 'root-1.pem'));
  await t.rejects(initKeys({ folder, ...plain }, toolsOf(folder)), {
    code: 'KEYS_UNUSABLE',
    message: /has a root already/,
  });
  rmSync(join(folder, '1.root.json'));
  await t.rejects(initKeys({ folder, ...plain }, toolsOf(folder)), {
    code: 'KEYS_UNUSABLE',
    message: /no key was made for root: .*root-1.pem is there already/,
  });
  t.ok(readFileSync(join(folder, 'root-1.pem')).equals(before));
});

t.test('a rotation replaces the keys of its roles alone', async (t) => {
  const folder = await init(t);
  const before = await openKeys(folder, toolsOf(folder).openKey);
  const result = await rotateKeys(
    { ...same, folder, roles: ['timestamp', 'snapshot'], expires: later },
    toolsOf(folder),
  );
  t.equal(result.state, 'in-force');
  t.strictSame(result.root.expires, later);
  const after = await openKeys(folder, toolsOf(folder).openKey);
  const keyOf = (keys: typeof after, role: 'targets' | 'snapshot' | 'timestamp') =>
    keys.signers[role][0]?.publicKey;
  t.equal(keyOf(after, 'targets'), keyOf(before, 'targets'));
  t.not(keyOf(after, 'snapshot'), keyOf(before, 'snapshot'));
  t.not(keyOf(after, 'timestamp'), keyOf(before, 'timestamp'));
  t.ok(existsSync(join(folder, 'timestamp-1.pem')), 'the old key is left to a person');
  t.equal((await exportAndVerify(t, folder)).roles.root.version, 2);
});

t.test('the root key itself is rotated, and renewed, as often as one likes', async (t) => {
  const folder = await init(t);
  for (const roles of [['root'], [], ['root', 'targets', 'snapshot', 'timestamp']] as const) {
    const result = await rotateKeys({ ...same, folder, roles, expires: later }, toolsOf(folder));
    t.equal(result.state, 'in-force');
  }
  const verified = await exportAndVerify(t, folder);
  t.equal(verified.roles.root.version, 4);
  t.equal(verified.stream, stream);
  t.strictSame(
    readdirSync(folder).filter((name) => name.startsWith('root')),
    ['root-1.pem', 'root-2.pem', 'root-4.pem'],
  );
});

t.test('a rotation without the old root key is refused', async (t) => {
  const folder = await init(t);
  rmSync(join(folder, 'root-1.pem'));
  const rotation = rotateKeys({ ...same, folder, roles: ['root'] }, toolsOf(folder));
  await t.rejects(rotation, { code: 'KEYS_UNUSABLE', message: /root-1.pem can not be read/ });
  t.notOk(existsSync(join(folder, '2.root.json')));
});

t.test('a root of two people is a draft until both have signed it', async (t) => {
  const folder = join(t.testdir(), 'keys');
  const uris = { root: people(t.testdirName) };
  const wish = { ...plain, folder, uris, thresholds: { root: 2 } };
  const begun = await initKeys(wish, toolsOf(folder));
  t.equal(begun.state, 'draft');
  t.match(begun.missing, /signed by 0, not by 2 of the root keys/);
  await t.rejects(openKeys(folder, toolsOf(folder).openKey), { code: 'KEYS_UNUSABLE' });
  await t.rejects(initKeys(wish, toolsOf(folder)), { message: /waits for signatures/ });
  // Each on a machine of their own, with a copy of the folder.
  const other = join(t.testdirName, 'copy');
  cpSync(folder, other, { recursive: true });
  const half = await signDraft(other, ['file:../alice.pem'], toolsOf(other));
  t.match(half, { state: 'draft', missing: /signed by 1, not by 2/ });
  const again = await signDraft(other, ['file:../alice.pem'], toolsOf(other));
  t.equal(again.state, 'draft', 'one signature twice is one');
  cpSync(other, folder, { recursive: true });
  const whole = await signDraft(folder, ['file:../bob.pem'], toolsOf(folder));
  t.match(whole, { state: 'in-force', file: join(folder, '1.root.json') });
  t.notOk(existsSync(join(folder, '1.root.json.draft')));
  t.equal((await exportAndVerify(t, folder)).roles.root.signedBy.length, 2);
});

t.test('a rotation of what two people sign waits for them as well', async (t) => {
  const folder = join(t.testdir(), 'keys');
  const uris = { root: people(t.testdirName) };
  const names = ['file:../alice.pem', 'file:../bob.pem'];
  await initKeys({ ...plain, folder, uris, thresholds: { root: 2 } }, toolsOf(folder));
  await signDraft(folder, names, toolsOf(folder));
  const rotated = await rotateKeys({ ...same, folder, roles: ['targets'] }, toolsOf(folder));
  t.equal(rotated.state, 'draft');
  const inForce = await openKeys(folder, toolsOf(folder).openKey);
  t.equal(inForce.roots.length, 1, 'until then the old keys sign');
  await t.rejects(rotateKeys({ ...same, folder, roles: [] }, toolsOf(folder)), {
    message: /2\.root\.json\.draft waits for signatures/,
  });
  t.equal((await signDraft(folder, names, toolsOf(folder))).state, 'in-force');
  t.equal((await exportAndVerify(t, folder)).roles.root.version, 2);
});

t.test('a threshold that the keys do not reach is refused, and no key is made', async (t) => {
  const folder = join(t.testdir(), 'keys');
  for (const thresholds of [{ root: 2 }, { timestamp: 2 }]) {
    await t.rejects(initKeys({ folder, ...plain, thresholds }, toolsOf(folder)), {
      code: 'KEYS_UNUSABLE',
      message: /a threshold of 2 for .* needs as many keys, and it has 1/,
    });
    t.strictSame(readdirSync(folder), []);
  }
});

t.test('one key named twice is one', async (t) => {
  const folder = join(t.testdir(), 'keys');
  const [alice = ''] = people(t.testdirName);
  const uris = { root: [alice, alice] };
  await t.rejects(initKeys({ ...plain, folder, uris, thresholds: { root: 2 } }, toolsOf(folder)), {
    code: 'KEYS_UNUSABLE',
    message: 'a key of root is named twice',
  });
});

t.test('a threshold may be raised with more keys', async (t) => {
  const folder = await init(t);
  await makeLocalKey(join(folder, 'second.pem'));
  const uris = { targets: ['file:targets-1.pem', 'file:second.pem'] };
  const thresholds = { targets: 2 };
  const rotation = { ...same, folder, roles: ['targets'] as const, uris, thresholds };
  const { root } = await rotateKeys(rotation, toolsOf(folder));
  t.equal(keyIdsOf(root.metadata.signed, 'targets').length, 2);
  const { roles } = await exportAndVerify(t, folder);
  t.match(roles.targets, { threshold: 2, signedBy: { length: 2 } });
});

t.test('where there is no draft, there is nothing to sign', async (t) => {
  const folder = await init(t);
  await t.rejects(signDraft(folder, ['file:root-1.pem'], toolsOf(folder)), {
    code: 'KEYS_UNUSABLE',
    message: /2\.root\.json\.draft is not there/,
  });
});
