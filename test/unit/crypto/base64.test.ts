import t from 'tap';
import { parseBase64 } from '../../../src/crypto/base64.ts';

const text = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString('hex');

t.test('the canonical spelling is read', async (t) => {
  t.equal(text(parseBase64('-_8', 'base64url')), 'fbff');
  t.equal(text(parseBase64('+/8=', 'base64')), 'fbff');
  t.equal(text(parseBase64('', 'base64')), '');
});

const refused: readonly (readonly ['base64' | 'base64url', string, string])[] = [
  ['base64url', 'padding', '-_8='],
  ['base64url', "the other alphabet's characters", '+/8'],
  ['base64url', 'spare bits that are not zero', '-_9'],
  ['base64url', 'a line break', '-_\n8'],
  ['base64url', 'a space', ' -_8'],
  ['base64url', 'a length that no bytes have', 'AAAAA'],
  ['base64', 'missing padding', '+/8'],
  ['base64', "the other alphabet's characters", '-_8='],
  ['base64', 'padding in the middle', '+/8=AAAA'],
  ['base64', 'spare bits that are not zero', '+/9='],
  ['base64', 'a line break', '+/8=\n'],
];

for (const [encoding, what, spelling] of refused) {
  t.test(`${encoding} with ${what} is refused`, async (t) => {
    t.equal(parseBase64(spelling, encoding), undefined);
  });
}
