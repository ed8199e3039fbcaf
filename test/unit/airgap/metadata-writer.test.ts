import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { writeMetadata } from '../../../src/airgap/metadata-writer.ts';
import { systemFiles } from '../../../src/storage/file-system.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { rootsOf, signerOf, writeBundle } from '../../support/metadata-kit.ts';

const roots = await rootsOf({}, {});
const later = new Date('2030-06-01T00:00:00Z');
const keys = {
  roots,
  signers: {
    targets: [signerOf('targets')],
    snapshot: [signerOf('snapshot')],
    timestamp: [signerOf('timestamp')],
  },
};
const optionsOf = (folder: string) => ({
  folder,
  keys,
  sequence: 7,
  targets: [],
  expires: { targets: later, snapshot: later, timestamp: later },
  clock: makeFakeClock(),
  signal: new AbortController().signal,
});

t.test('a bundle has all roots, and metadata that others may read', async (t) => {
  const folder = t.testdir();
  await writeBundle({ folder, roots, sequence: 7 });
  t.strictSame(readdirSync(join(folder, 'metadata')), [
    '1.root.json',
    '2.root.json',
    '7.snapshot.json',
    '7.targets.json',
    'timestamp.json',
  ]);
  t.match(readdirSync(join(folder, 'targets', 'trust', 'x509', 'ca', 'acme')), [
    /^[a-f0-9]{64}\.root\.pem$/,
  ]);
  const { mode } = statSync(join(folder, 'metadata', 'timestamp.json'));
  t.equal(mode & 0o777, 0o666 & ~process.umask());
});

t.test('a file becomes a target without a copy', async (t) => {
  const folder = t.testdir({ 'index.tmp': 'index' });
  const file = join(folder, 'index.tmp');
  await writeMetadata({ ...optionsOf(folder), targets: [{ path: 'blobs.idx', file }] });
  t.notOk(existsSync(file));
  t.match(readdirSync(join(folder, 'targets')), [/^1bc04b5291c2[a-f0-9]{52}\.blobs\.idx$/]);
});

t.test('a bundle that is finished is not written again', async (t) => {
  const folder = t.testdir();
  await writeMetadata(optionsOf(folder));
  await t.rejects(writeMetadata(optionsOf(folder)), { code: 'BUNDLE_FINISHED' });
});

t.test('one that was interrupted is', async (t) => {
  const folder = t.testdir();
  mkdirSync(join(folder, 'metadata'));
  writeFileSync(join(folder, 'metadata', '7.targets.json'), 'half');
  await t.resolves(writeMetadata(optionsOf(folder)));
});

t.test('keys that the root does not list finish nothing', async (t) => {
  for (const role of ['targets', 'snapshot', 'timestamp'] as const) {
    const folder = t.testdir();
    const signers = { ...keys.signers, [role]: [signerOf('stranger')] };
    await t.rejects(writeMetadata({ ...optionsOf(folder), keys: { roots, signers } }), {
      code: 'KEYS_UNUSABLE',
      message: new RegExp(`the ${role} metadata, version 7, are signed by 0`),
    });
    t.notOk(existsSync(join(folder, 'metadata', 'timestamp.json')));
  }
});

t.test('what has ended already is not written', async (t) => {
  const ended = new Date('2030-01-01T00:00:00Z');
  for (const role of ['targets', 'snapshot', 'timestamp'] as const) {
    const options = optionsOf(t.testdir());
    await t.rejects(writeMetadata({ ...options, expires: { ...options.expires, [role]: ended } }), {
      code: 'KEYS_UNUSABLE',
      message: new RegExp(`the ${role} metadata would have ended`),
    });
  }
  const clock = makeFakeClock('2031-01-01T00:00:00Z');
  await t.rejects(writeMetadata({ ...optionsOf(t.testdir()), clock }), {
    code: 'KEYS_UNUSABLE',
    message: /the root metadata would have ended/,
  });
});

t.test('roots that do not follow one another are refused', async (t) => {
  const [, other] = await rootsOf({}, { signers: ['stranger'] });
  const chain = [roots[0], other as Uint8Array] as const;
  const options = { ...optionsOf(t.testdir()), keys: { ...keys, roots: chain } };
  await t.rejects(writeMetadata(options), { code: 'KEYS_UNUSABLE', message: /the root metadata/ });
});

t.test('targets that a bundle can not have are our mistake', async (t) => {
  const options = optionsOf(t.testdir());
  const bytes = Buffer.from('x');
  for (const paths of [['../x'], ['bundle.json', 'bundle.json']]) {
    const targets = paths.map((path) => ({ path, bytes }));
    await t.rejects(writeMetadata({ ...options, targets }), TypeError);
  }
});

t.test('a disk that is full is said by name', async (t) => {
  const full = Object.assign(new Error('ENOSPC: no space'), { code: 'ENOSPC' });
  const open: typeof fs.open = async (path, flags, mode) => {
    if (String(path).includes('7.snapshot.json')) throw full;
    return fs.open(path, flags, mode);
  };
  const folder = t.testdir();
  await t.rejects(writeMetadata({ ...optionsOf(folder), files: { ...systemFiles, open } }), {
    code: 'NO_SPACE',
    message: /7\.snapshot\.json can not be written/,
  });
  t.notOk(existsSync(join(folder, 'metadata', 'timestamp.json')));
});

t.test('a signer that fails is passed on', async (t) => {
  const broken = { ...signerOf('snapshot'), sign: () => Promise.reject(new Error('no card')) };
  const signers = { ...keys.signers, snapshot: [broken] };
  const options = { ...optionsOf(t.testdir()), keys: { roots, signers } };
  await t.rejects(writeMetadata(options), /no card/);
});
