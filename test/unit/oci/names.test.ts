import fc from 'fast-check';
import t from 'tap';
import {
  digestOf,
  encodedOf,
  matchesDigest,
  parseDigest,
  referrersTag,
} from '../../../src/oci/digest.ts';
import { parseReference, parseTag, referenceSuffix } from '../../../src/oci/reference.ts';
import { parseRepositoryPath } from '../../../src/oci/repository.ts';

const hex = 'a'.repeat(64);

t.test('digests of the registered algorithms are read, in their only form', (t) => {
  t.equal(parseDigest(`sha256:${hex}`), `sha256:${hex}`);
  t.equal(parseDigest(`sha512:${hex}${hex}`), `sha512:${hex}${hex}`);
  const wrong = [hex, `sha256:${hex}a`, `sha256:${hex.slice(1)}`, `SHA256:${hex}`];
  const worse = [`sha256:${hex.toUpperCase()}`, `md5:${hex}`, `sha256-${hex}`, `sha256:${hex}\n`];
  for (const text of [...wrong, ...worse, 'sha256:../../x', ''])
    t.equal(parseDigest(text), undefined);
  t.end();
});

t.test('a digest matches the bytes that it names and no others', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), fc.nat(), (bytes, at) => {
      for (const algorithm of ['sha256', 'sha512'] as const) {
        const digest = digestOf(bytes, algorithm);
        const flipped = Uint8Array.from(bytes);
        const position = at % bytes.length;
        flipped[position] = (flipped[position] ?? 0) ^ 1;
        t.ok(matchesDigest(bytes, digest) && !matchesDigest(flipped, digest));
      }
    }),
    { numRuns: 50 },
  );
  t.end();
});

t.test('the referrers tag of a sha512 digest is cut to 64 characters of its hash', (t) => {
  const digest = digestOf(Buffer.from('x'), 'sha512');
  t.equal(referrersTag(digest), `sha512-${encodedOf(digest).slice(0, 64)}`);
  t.ok(parseTag(referrersTag(digest)), 'and it is a tag');
  t.end();
});

t.test('a reference is a digest or a tag, and is written as it is read', (t) => {
  for (const text of [`sha256:${hex}`, 'latest', '_', 'v1.2-3_4', 'a'.repeat(128)]) {
    const reference = parseReference(text);
    t.ok(reference, text);
    if (reference !== undefined) t.equal(referenceSuffix(reference).slice(1), text);
  }
  for (const text of [
    '',
    '.x',
    '-x',
    'a'.repeat(129),
    'a/b',
    'a b',
    'a:b',
    `sha256:${hex}0`,
    'é',
  ]) {
    t.equal(parseReference(text), undefined, JSON.stringify(text));
  }
  t.end();
});

t.test('repository paths follow the grammar of distribution-spec', (t) => {
  for (const text of ['a', 'library/nginx', 'a.b/c_d/e__f/g-h/i--j', '0/1', 'a'.repeat(255)]) {
    t.equal(parseRepositoryPath(text), text);
  }
  const wrong = ['', '/', 'a/', '/a', 'a//b', 'A', 'a..b', 'a___b', '.a', 'a.', 'a/../b', 'a%2fb'];
  for (const text of [...wrong, 'a b', 'a\u0000', 'a'.repeat(256), 'é']) {
    t.equal(parseRepositoryPath(text), undefined, JSON.stringify(text));
  }
  t.end();
});
