import { lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { writeContent } from '../../../src/airgap/export-content.ts';
import { openExportFolder } from '../../../src/airgap/export-folder.ts';
import { stream } from '../../support/airgap-kit.ts';

const id = '0123456789abcdef0123456789abcdef';

/** A medium that somebody else had, and a file of ours that it leads to. */
function prepare(t: Test) {
  const folder = t.testdir({ medium: {}, elsewhere: {}, ours: 'ours' });
  return {
    medium: join(folder, 'medium'),
    ours: join(folder, 'ours'),
    elsewhere: join(folder, 'elsewhere'),
  };
}

t.test('a marker that leads elsewhere is replaced, and not written through', async (t) => {
  const { medium, ours } = prepare(t);
  symlinkSync(ours, join(medium, 'export.unfinished'));
  const folder = await openExportFolder(medium);
  await folder.claim(id, 7);
  t.equal(readFileSync(ours, 'utf8'), 'ours');
  t.equal(readFileSync(join(medium, 'export.unfinished'), 'utf8'), `${id} 7\n`);
  t.match((await openExportFolder(medium)).unfinished, { id, sequence: 7, hasMetadata: false });
});

t.test('a folder of volumes that leads elsewhere is nothing to go on with', async (t) => {
  const { medium, elsewhere } = prepare(t);
  await (await openExportFolder(medium)).claim(id, 7);
  const again = await openExportFolder(medium);
  await again.resume();
  t.ok(lstatSync(join(medium, 'volumes')).isDirectory());
  rmSync(join(medium, 'volumes'), { recursive: true });
  symlinkSync(elsewhere, join(medium, 'volumes'));
  await t.rejects(again.resume(), { code: 'FOLDER_OCCUPIED', message: /volumes is no folder/ });
});

t.test('an index that leads elsewhere is written anew', async (t) => {
  const { medium, ours } = prepare(t);
  mkdirSync(join(medium, 'volumes'));
  symlinkSync(ours, join(medium, 'blobs.idx.part'));
  const { indexFile } = await writeContent(
    {
      folder: medium,
      stream,
      sequence: 7,
      volumeBytes: 40_000,
      contents: [],
      isAssumed: () => false,
      read: () => {
        throw new Error('nothing is to be read');
      },
      finished: [],
      onVolume: async () => undefined,
      onProgress: () => undefined,
    },
    new AbortController().signal,
  );
  t.equal(readFileSync(ours, 'utf8'), 'ours');
  t.ok(lstatSync(indexFile).isFile());
});

t.test('one of a run that was killed is written over', async (t) => {
  const { medium } = prepare(t);
  const folder = await openExportFolder(medium);
  await folder.claim(id, 7);
  writeFileSync(join(medium, 'blobs.idx.part'), 'half');
  await (await openExportFolder(medium)).claim(id, 8);
  t.match((await openExportFolder(medium)).unfinished, { id, sequence: 8 });
});

t.test('a marker that is no file, or has no end, is not read', async (t) => {
  const { medium } = prepare(t);
  const marker = join(medium, 'export.unfinished');
  symlinkSync('/dev/zero', marker);
  await t.rejects(openExportFolder(medium), { code: 'READ_FAILED', message: /no regular file/ });
  rmSync(marker);
  writeFileSync(marker, 'x'.repeat(101));
  await t.rejects(openExportFolder(medium), { code: 'METADATA_MALFORMED' });
});
