import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { readFileBounded, readTextFileBounded } from '../../../src/files/read-file.ts';

t.test('a file of just the permitted size is read', async (t) => {
  const folder = t.testdir({ file: 'abcd' });
  t.equal((await readFileBounded(join(folder, 'file'), 4)).toString(), 'abcd');
});

t.test('one byte more is refused', async (t) => {
  const folder = t.testdir({ file: 'abcde' });
  await t.rejects(readFileBounded(join(folder, 'file'), 4), { code: 'TOO_LARGE' });
});

t.test('a file that claims no size is still bounded', async (t) => {
  await t.rejects(readFileBounded('/proc/self/status', 16), { code: 'TOO_LARGE' });
});

t.test('a folder and a pipe are no files, and nobody waits for them', async (t) => {
  const folder = t.testdir({});
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  await t.rejects(readFileBounded(folder, 10), { code: 'NOT_A_FILE' });
  await t.rejects(readFileBounded(pipe, 10), { code: 'NOT_A_FILE' });
});

t.test('a symbolic link is followed unless it is refused', async (t) => {
  const folder = t.testdir({ file: 'x', link: t.fixture('symlink', 'file') });
  const link = join(folder, 'link');
  t.equal((await readFileBounded(link, 10)).toString(), 'x');
  await t.rejects(readFileBounded(link, 10, { symbolicLinks: 'refused' }), { code: 'ELOOP' });
});

t.test('text loses its byte order mark, and what is not UTF-8 is refused', async (t) => {
  const folder = t.testdir({ text: '\ufeffä', latin: Buffer.from([0x61, 0xe4]) });
  t.equal(await readTextFileBounded(join(folder, 'text'), 10), 'ä');
  await t.rejects(readTextFileBounded(join(folder, 'latin'), 10), TypeError);
});
