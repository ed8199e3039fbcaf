import t from 'tap';
import { isPem, readPem } from '../../../src/crypto/pem.ts';

const block = (label = 'PUBLIC KEY', body = 'AAAA'): string =>
  `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;
const der = Buffer.from('AAAA', 'base64');

t.test('blocks are read in order, and text around them is a comment', async (t) => {
  const text = `comment\n${block()}more\n${block('CERTIFICATE', 'AA\nAA')}end`;
  t.strictSame(readPem(text), [
    { label: 'PUBLIC KEY', der },
    { label: 'CERTIFICATE', der },
  ]);
  t.ok(isPem(text));
});

t.test('where none begins there is none', async (t) => {
  t.strictSame(readPem('AAAA'), []);
  t.notOk(isPem('AAAA'));
});

const refused: Readonly<Record<string, [text: string, why: RegExp]>> = {
  'does not end': [block().replace('-----END', '----END'), /does not end, at byte 0/],
  'ends as another': [block().replace('END PUBLIC', 'END PRIVATE'), /does not end/],
  'is no base64': [block('PUBLIC KEY', 'AAA'), /no base64/],
  'has spare bits': [block('PUBLIC KEY', 'AAB='), /no base64/],
  'has other characters': [block('PUBLIC KEY', 'AA-_'), /does not end/],
  'has headers': [block('PUBLIC KEY', 'Proc-Type: 4,ENCRYPTED\n\nAAAA'), /does not end/],
};

for (const [what, [text, why]] of Object.entries(refused)) {
  t.test(`a block that ${what} is refused`, async (t) => {
    t.throws(() => readPem(text), { code: 'PEM_MALFORMED', message: why });
  });
}
