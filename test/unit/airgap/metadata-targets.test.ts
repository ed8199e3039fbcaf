import {
  appendFileSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { verifyMetadata } from '../../../src/airgap/metadata-reader.ts';
import type { Targets } from '../../../src/airgap/metadata-targets.ts';
import { allOf } from '../../support/airgap-kit.ts';
import { rootsOf, writeBundle } from '../../support/metadata-kit.ts';

const roots = await rootsOf({});
const bytes = Buffer.alloc(3_000_000, 'index ');

async function open(folder: string): Promise<Targets & { readonly file: string }> {
  await writeBundle({ folder, roots, targets: [{ path: 'blobs.idx', bytes }] });
  const trusted = { root: roots[0], seen: undefined };
  const now = new Date('2030-01-01T00:00:00Z');
  const targets = await verifyMetadata({ folder, trusted, now });
  return { ...targets, file: targets.targets.get('blobs.idx')?.file ?? '' };
}

t.test('a target is read, streamed and copied', async (t) => {
  const folder = t.testdir();
  const targets = await open(folder);
  t.match(targets.file, /targets\/[a-f0-9]{64}\.blobs\.idx$/);
  t.ok((await targets.readTarget('blobs.idx', bytes.length)).equals(bytes));
  t.ok(Buffer.concat(await allOf(targets.openTarget('blobs.idx'))).equals(bytes));
  const copy = join(folder, 'copy');
  await targets.copyTarget('blobs.idx', copy);
  t.ok(readFileSync(copy).equals(bytes));
  t.match(await targets.target('blobs.idx'), { length: bytes.length, file: targets.file });
});

for (const [name, damage] of Object.entries({
  'another byte': (file: string) => writeFileSync(file, Buffer.alloc(bytes.length, 'Index ')),
  'a byte less': (file: string) => truncateSync(file, bytes.length - 1),
  'a byte more': (file: string) => appendFileSync(file, 'x'),
})) {
  t.test(`a target of ${name} is refused however it is read`, async (t) => {
    const folder = t.testdir();
    const targets = await open(folder);
    damage(targets.file);
    const refused = { code: 'TARGET_MISMATCH', message: /is not the target "blobs.idx"/ };
    await t.rejects(targets.readTarget('blobs.idx', 10_000_000), refused);
    await t.rejects(allOf(targets.openTarget('blobs.idx')), refused);
    await t.rejects(targets.copyTarget('blobs.idx', join(folder, 'copy')), refused);
    t.notOk(readdirSync(folder).includes('copy'), 'and nothing is left of the copy');
    if (name !== 'another byte') await t.rejects(targets.target('blobs.idx'), refused);
  });
}

t.test('a target that is not there is missing', async (t) => {
  const folder = t.testdir();
  const targets = await open(folder);
  rmSync(targets.file);
  for (const read of [
    () => targets.target('blobs.idx'),
    () => targets.readTarget('blobs.idx', bytes.length),
    () => allOf(targets.openTarget('blobs.idx')),
    () => targets.copyTarget('blobs.idx', join(folder, 'copy')),
    () => targets.target('bundle.json'),
    () => targets.readTarget('../bundle.json', 1),
    () => targets.copyTarget('bundle.json', join(folder, 'copy')),
  ]) {
    await t.rejects(async () => void (await read()), { code: 'TARGET_MISSING' });
  }
});

t.test('a target that is too large for its reader is not read', async (t) => {
  const targets = await open(t.testdir());
  await t.rejects(targets.readTarget('blobs.idx', bytes.length - 1), {
    code: 'TARGET_MISMATCH',
    message: /more than 2999999 bytes/,
  });
});

t.test('a copy is never made over a file', async (t) => {
  const folder = t.testdir({ copy: 'mine' });
  const targets = await open(folder);
  await t.rejects(targets.copyTarget('blobs.idx', join(folder, 'copy')), { code: 'WRITE_FAILED' });
  t.equal(readFileSync(join(folder, 'copy'), 'utf8'), 'mine');
});
