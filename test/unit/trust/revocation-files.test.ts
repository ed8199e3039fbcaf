import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadRevocationFiles } from '../../../src/trust/revocation-files.ts';
import { makeRevocationCase } from '../../support/revocation-kit.ts';
import { buildCrl } from '../../support/test-crl.ts';
import { buildOcsp } from '../../support/test-ocsp.ts';

const { leaf, issuer } = makeRevocationCase();
const crl = Buffer.from(buildCrl({ issuer }));
const ocsp = Buffer.from(buildOcsp({ issuer, answers: [{ certificate: leaf }] }));
const pem = (label: string, der: Buffer): string =>
  `-----BEGIN ${label}-----\n${der.toString('base64')}\n-----END ${label}-----\n`;

t.test('lists and responses load, as DER and PEM, and what has a dot before is left', async (t) => {
  const folder = t.testdir({
    'a.crl': crl,
    'b.crl': `a comment\n${pem('X509 CRL', crl)}${pem('X509 CRL', crl)}`,
    'c.ocsp': ocsp,
    'd.ocsp': pem('OCSP RESPONSE', ocsp),
    '.hidden': 'x',
  });
  symlinkSync(join(folder, 'a.crl'), join(folder, 'e.crl'));
  const { lists, responses } = await loadRevocationFiles(folder);
  const name = ({ file }: { readonly file: string }): string => file.slice(folder.length + 1);
  t.strictSame(lists.map(name), ['a.crl', 'b.crl', 'b.crl', 'e.crl']);
  t.strictSame(responses.map(name), ['c.ocsp', 'd.ocsp']);
});

t.test('the digest is of the content', async (t) => {
  const digest = async (files: Parameters<Test['testdir']>[0]): Promise<string> =>
    (await loadRevocationFiles(t.testdir(files))).digest;
  const one = await digest({ 'a.crl': crl });
  t.match(one, /^[0-9a-f]{64}$/);
  t.equal(await digest({ 'b.crl': crl }), one);
  t.not(await digest({ 'a.crl': crl, 'b.ocsp': ocsp }), one);
  t.not(await digest({ 'a.crl': Buffer.from(buildCrl({ issuer, number: 2 })) }), one);
});

t.test('they load whole or not at all, with every problem told', async (t) => {
  const folder = t.testdir({
    'a.crl': crl,
    'b.crl': crl.subarray(1),
    'c.crl': ocsp,
    'd.crl': pem('CERTIFICATE', Buffer.from(leaf.der)),
    'e.ocsp': Buffer.alloc(50_000),
    'f.txt': 'x',
    'g.crl': {},
  });
  const failure = await loadRevocationFiles(folder).catch((error: unknown) => error);
  t.match(failure, { name: 'TrustError', code: 'REVOCATION_FILES_UNUSABLE' });
  const lines = (failure as Error).message.split('\n');
  t.equal(lines.length, 6);
  t.match(lines, [
    /b\.crl: is neither PEM nor DER/,
    /c\.crl/,
    /d\.crl: holds a CERTIFICATE, and must hold X509 CRL only/,
    /e\.ocsp: .*larger/,
    /f\.txt: is no \.crl or \.ocsp file/,
    /g\.crl/,
  ]);
  await t.rejects(loadRevocationFiles(join(folder, 'absent')), {
    code: 'REVOCATION_FILES_UNUSABLE',
  });
});
