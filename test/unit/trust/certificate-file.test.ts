import t from 'tap';
import { readCertificateFile } from '../../../src/trust/certificate-file.ts';
import { makeChain } from '../../support/test-ca.ts';
import { requireVectors } from '../../support/vectors.ts';

const chain = makeChain();
const prints = chain.certificates.map(({ fingerprint }) => fingerprint);
const read = (content: string | Uint8Array) =>
  readCertificateFile(typeof content === 'string' ? Buffer.from(content) : content, 'a.pem').map(
    ({ fingerprint }) => fingerprint,
  );

t.test('PEM and DER are read, one or several in a file', async (t) => {
  t.same(read(chain.root.pem), [chain.root.fingerprint]);
  t.same(read(chain.pem), prints);
  t.same(read(chain.root.der), [chain.root.fingerprint]);
  t.same(read(Buffer.concat(chain.ders)), prints);
});

t.test('text around PEM blocks is a comment, and line ends may be of any kind', async (t) => {
  const [first, second] = chain.certificates;
  t.same(
    read(`Certificate:\n  Issuer: x\n${first.pem}\n# and\n${second?.pem}\nend`),
    prints.slice(0, 2),
  );
  t.same(read(chain.pem.replaceAll('\n', '\r\n')), prints);
});

t.test('a file with a view into a larger buffer is read alone', async (t) => {
  const padded = Buffer.concat([Buffer.alloc(7), chain.root.der, Buffer.alloc(9)]);
  t.same(read(padded.subarray(7, 7 + chain.root.der.length)), [chain.root.fingerprint]);
});

const { pem, der } = chain.root;
const bad: readonly (readonly [what: string, content: string | Uint8Array, problem: RegExp])[] = [
  ['an empty file', '', /a.pem holds no certificate/],
  ['text', 'hello', /neither PEM nor DER/],
  [
    'a block of blanks alone',
    `-----BEGIN A-----${' \n'.repeat(100_000)}`,
    /does not end, at byte 0/,
  ],
  ['a private key', pem.replaceAll('CERTIFICATE', 'PRIVATE KEY'), /holds a PRIVATE KEY/],
  [
    'a key beside a certificate',
    `${pem}${pem.replaceAll('CERTIFICATE', 'RSA PRIVATE KEY')}`,
    /holds a RSA/,
  ],
  ['a PEM block without its end', pem.slice(0, -30), /block that does not end, at byte 0/],
  ['a PEM block with another end', pem.replace('END CERTIFICATE', 'END X'), /does not end/],
  ['a PEM block that is no base64', pem.replace('MII', 'M\u00e4I'), /does not end|no base64/],
  ['a PEM block with a cut base64', pem.replace(/=*\n-----END/, 'A=A\n-----END'), /no base64/],
  [
    'an empty PEM block',
    '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n',
    /certificate 1: /,
  ],
  ['DER that is cut', der.subarray(0, -1), /neither PEM nor DER/],
  ['DER with a byte after it', Buffer.concat([der, Buffer.from([0])]), /neither PEM nor DER/],
  ['a lone tag', Buffer.from([0x30]), /neither PEM nor DER/],
  ['DER of no stated length', Buffer.from([0x30, 0x80, 0, 0]), /neither PEM nor DER/],
  [
    'DER with a length of its length that is cut',
    Buffer.from([0x30, 0x83, 1]),
    /neither PEM nor DER/,
  ],
  ['a sequence that is no certificate', Buffer.from([0x30, 0x00]), /certificate 1: /],
];

for (const [what, content, problem] of bad) {
  t.test(`refused: ${what}`, async (t) => {
    t.throws(() => read(content), { code: 'TRUST_STORE_MALFORMED', message: problem });
  });
}

t.test('a broken certificate among good ones is named by its number', async (t) => {
  const broken = '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n';
  t.throws(() => read(pem + broken), { message: /certificate 2: / });
});

t.test('more certificates than anyone needs are refused', async (t) => {
  t.throws(() => read(pem.repeat(1001)), { message: /more than 1000 certificates/ });
});

t.test("the certificates of Notation's own tests are read", async (t) => {
  const readVector = requireVectors(t);
  if (readVector === undefined) return;
  for (const name of ['e2e.crt', 'new_e2e.crt']) {
    t.equal(read(readVector(`notation/truststore/${name}`)).length, 1, name);
  }
});
