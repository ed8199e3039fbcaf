import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { findBundle } from '../../../src/airgap/find-bundle.ts';
import { readRoot } from '../../../src/airgap/metadata-roots.ts';
import { openRegular } from '../../../src/airgap/open-regular.ts';
import { readVolume } from '../../../src/airgap/volume-reader.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { systemFiles } from '../../../src/storage/file-system.ts';
import { allOf, stream } from '../../support/airgap-kit.ts';
import { usualRoots, writeFullBundle } from '../../support/bundle-kit.ts';
import { openBundle } from '../../../src/airgap/open-bundle.ts';

/** Opening it waits for somebody who writes, who never comes. */
function makePipe(file: string): void {
  rmSync(file, { force: true });
  execFileSync('mkfifo', [file]);
}

t.test('a file is opened, also by a link to it', async (t) => {
  const folder = t.testdir({ file: 'text', link: t.fixture('symlink', 'file') });
  for (const name of ['file', 'link']) {
    const handle = await openRegular(join(folder, name), systemFiles);
    t.equal((await handle.readFile()).toString(), 'text');
    await handle.close();
  }
});

t.test('nobody waits for a pipe, a device or a folder in the place of a file', async (t) => {
  const folder = t.testdir({ folder: {} });
  makePipe(join(folder, 'pipe'));
  symlinkSync('/dev/zero', join(folder, 'device'));
  for (const name of ['pipe', 'device', 'folder']) {
    await t.rejects(openRegular(join(folder, name), systemFiles), {
      code: 'READ_FAILED',
      message: /no regular file/,
    });
  }
});

t.test('nor in any place of a bundle', async (t) => {
  const folder = t.testdir({ pipes: { metadata: {} } });
  const pipes = join(folder, 'pipes');
  makePipe(join(pipes, 'metadata', 'timestamp.json'));
  await t.rejects(findBundle([pipes]), { code: 'READ_FAILED' });
  makePipe(join(pipes, 'metadata', '1.root.json'));
  await t.rejects(readRoot(join(pipes, 'metadata'), 1), { code: 'READ_FAILED' });
  const volume = { number: 1, name: 'x', bytes: 4096, chunks: [digestOf(Buffer.alloc(4096))] };
  makePipe(join(pipes, 'x'));
  const reading = { file: join(pipes, 'x'), volume, stream, sequence: 1, chunkBytes: 4096 };
  await t.rejects(allOf(readVolume(reading)), { code: 'READ_FAILED' });

  mkdirSync(join(folder, 'whole'));
  await writeFullBundle({ folder: join(folder, 'whole'), images: [] });
  const now = new Date('2030-01-02T00:00:00Z');
  const { metadata } = await openBundle([join(folder, 'whole')], usualRoots[0], now);
  makePipe((await metadata.target('bundle.json')).file);
  await t.rejects(metadata.readTarget('bundle.json', 1e6), { code: 'READ_FAILED' });
});
