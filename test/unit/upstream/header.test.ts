import t from 'tap';
import { digestOf } from '../../../src/oci/digest.ts';
import {
  claimedDigestOf,
  contentLengthOf,
  contentTypeOf,
  headerOf,
  listHeaderOf,
} from '../../../src/upstream/header.ts';

const answer = (headers: Record<string, string | string[]>) => ({ headers });

t.test('a header that stands twice with one value is that value', async (t) => {
  t.equal(headerOf(answer({ x: ['a', 'a'] }), 'x'), 'a');
  t.equal(headerOf(answer({ x: 'a' }), 'x'), 'a');
  t.equal(headerOf(answer({}), 'x'), undefined);
});

t.test('a header with two values is refused where there may be one', async (t) => {
  t.throws(() => headerOf(answer({ x: ['a', 'b'] }), 'x'), { code: 'UPSTREAM_MISBEHAVED' });
});

t.test('a list header joins its lines', async (t) => {
  t.equal(listHeaderOf(answer({ link: ['a', 'b'] }), 'link'), 'a, b');
  t.equal(listHeaderOf(answer({ link: 'a' }), 'link'), 'a');
  t.equal(listHeaderOf(answer({}), 'link'), undefined);
});

const types: readonly (readonly [string, string | undefined])[] = [
  ['application/json', 'application/json'],
  ['Application/JSON; charset=utf-8', 'application/json'],
  [' application/json ;x', 'application/json'],
  ['json', undefined],
  ['', undefined],
  ['a/b/c', undefined],
  ['application/json, text/html', undefined],
];
for (const [stated, expected] of types) {
  t.test(`the content type of ${JSON.stringify(stated)} is ${expected}`, async (t) => {
    t.equal(contentTypeOf(answer({ 'content-type': stated })), expected);
  });
}

t.test('a length is digits or an error, never a guess', async (t) => {
  t.equal(contentLengthOf(answer({})), undefined);
  t.equal(contentLengthOf(answer({ 'content-length': '0' })), 0);
  t.equal(contentLengthOf(answer({ 'content-length': '9007199254740991' })), 9007199254740991);
  for (const text of [
    '',
    '-1',
    '+1',
    '1.0',
    '0x10',
    '1e3',
    ' 1',
    '9007199254740992',
    '1'.repeat(17),
  ]) {
    const read = () => contentLengthOf(answer({ 'content-length': text }));
    t.throws(read, { code: 'UPSTREAM_MISBEHAVED' }, JSON.stringify(text));
  }
});

t.test('a claimed digest is a digest or none', async (t) => {
  const digest = digestOf(Buffer.from('x'));
  t.equal(claimedDigestOf(answer({ 'docker-content-digest': digest })), digest);
  for (const text of ['', 'sha256:abc', `${digest} `, digest.toUpperCase(), 'md5:abc']) {
    t.equal(claimedDigestOf(answer({ 'docker-content-digest': text })), undefined, text);
  }
});
