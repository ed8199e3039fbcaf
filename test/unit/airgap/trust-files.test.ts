import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  isCarriedPath,
  type CarriedTrust,
  carriedName,
  withoutTwins,
  writeTrustFiles,
} from '../../../src/airgap/trust-files.ts';

const fileAt = (path: string, text = path): CarriedTrust => ({
  path,
  kind: 'key',
  bytes: Buffer.from(text),
});

t.test('files are put below the folder, and never over others', async (t) => {
  const folder = t.testdir();
  await writeTrustFiles(folder, [fileAt('trust/x509/ca/a/b.pem', 'a certificate')]);
  t.equal(readFileSync(join(folder, 'trust/x509/ca/a/b.pem'), 'utf8'), 'a certificate');
  await t.rejects(writeTrustFiles(folder, [fileAt('trust/x509/ca/a/b.pem')]), {
    code: 'WRITE_FAILED',
  });
});

for (const path of ['../outside', 'trust/../../outside', '/etc/passwd', 'trust//a', 'trust/.a']) {
  t.test(`no file is called ${path}`, async (t) => {
    const writing = writeTrustFiles(t.testdir(), [fileAt(path)]);
    await t.rejects(writing, { code: 'EXPORT_REFUSED', message: /is no path for trust material/ });
  });
}

t.test('a name that the format does not allow is one made of the content', async (t) => {
  t.equal(carriedName('root-1.pem', Buffer.of(), '.pem'), 'root-1.pem');
  t.match(carriedName('my root.pem', Buffer.from('a'), '.pem'), /^[0-9a-f]{16}\.pem$/);
});

t.test('one file twice comes once; two of other content under one name are refused', async (t) => {
  t.equal(withoutTwins([fileAt('trust/a'), fileAt('trust/a')]).length, 1);
  // Some file systems take both for one.
  t.throws(() => withoutTwins([fileAt('trust/a'), fileAt('trust/A')]), { code: 'EXPORT_REFUSED' });
});

t.test('a path that no bundle may have is told before anything is written', async (t) => {
  const long = `${'n'.repeat(101)}.pem`;
  t.match(carriedName(long, Buffer.from('x'), '.pem'), /^[0-9a-f]{16}\.pem$/);
  t.notOk(isCarriedPath(long));
  t.notOk(isCarriedPath('a/b/c/d/e/f/g/h/i'), 'deeper than the format has room for');
  t.ok(isCarriedPath('a/b/c/d/e/f/g/h'));
});
