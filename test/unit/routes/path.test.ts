import t from 'tap';
import { parseTarget, splitTarget } from '../../../src/routes/path.ts';
import { RequestError } from '../../../src/routes/request-error.ts';

const hex = 'a'.repeat(64);
const digest = `sha256:${hex}`;

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof RequestError) return `${error.status} ${error.code}`;
    throw error;
  }
  return 'accepted';
}

t.test('every endpoint is known by its last segments', async (t) => {
  t.strictSame(parseTarget('/v2/'), { route: 'version' });
  t.strictSame(parseTarget('/v2'), { route: 'version' });
  t.strictSame(parseTarget('/v2/a/b/manifests/1.0'), {
    route: 'manifests',
    name: 'a/b',
    reference: { tag: '1.0' },
  });
  t.strictSame(parseTarget(`/v2/a/manifests/${digest}`), {
    route: 'manifests',
    name: 'a',
    reference: { digest },
  });
  t.strictSame(parseTarget(`/v2/a/b/c/blobs/${digest}`), { route: 'blobs', name: 'a/b/c', digest });
  t.strictSame(parseTarget('/v2/a/tags/list'), { route: 'tags', name: 'a' });
  t.strictSame(parseTarget(`/v2/a/referrers/sha512:${hex}${hex}`), {
    route: 'referrers',
    name: 'a',
    digest: `sha512:${hex}${hex}`,
  });
});

t.test('a repository may be named like an endpoint', async (t) => {
  t.match(parseTarget('/v2/a/manifests/b/manifests/c'), { name: 'a/manifests/b' });
  t.match(parseTarget('/v2/tags/list/tags/list'), { route: 'tags', name: 'tags/list' });
});

t.test('what is not offered is 404', async (t) => {
  for (const path of [
    '/',
    '/v1/',
    '/v2/_catalog',
    '/v2/a',
    '/v2/a/',
    '/v2/manifests/1.0',
    '/v2/tags/list',
    '/v2/a/tags/other',
    '/v2/a/blobs/uploads/1',
    '/v2x/a/manifests/1',
    '/token',
  ]) {
    t.equal(
      refusal(() => parseTarget(path)),
      '404 UNSUPPORTED',
      path,
    );
  }
});

t.test('a digest that is none is 400, a tag that is none can not exist', async (t) => {
  t.equal(
    refusal(() => parseTarget('/v2/a/manifests/sha256:abc')),
    '400 DIGEST_INVALID',
  );
  t.equal(
    refusal(() => parseTarget(`/v2/a/blobs/${hex}`)),
    '400 DIGEST_INVALID',
  );
  t.equal(
    refusal(() => parseTarget(`/v2/a/blobs/md5:${hex}`)),
    '400 DIGEST_INVALID',
  );
  t.equal(
    refusal(() => parseTarget(`/v2/a/blobs/SHA256:${hex}`)),
    '400 DIGEST_INVALID',
  );
  t.equal(
    refusal(() => parseTarget(`/v2/a/blobs/sha256-${hex}`)),
    '400 DIGEST_INVALID',
  );
  t.equal(
    refusal(() => parseTarget('/v2/a/referrers/x')),
    '400 DIGEST_INVALID',
  );
  t.equal(
    refusal(() => parseTarget('/v2/a/manifests/.INVALID')),
    '404 MANIFEST_UNKNOWN',
  );
  t.equal(
    refusal(() => parseTarget('/v2/a/manifests/')),
    '404 MANIFEST_UNKNOWN',
  );
  t.equal(
    refusal(() => parseTarget(`/v2/a/manifests/${'t'.repeat(129)}`)),
    '404 MANIFEST_UNKNOWN',
  );
});

t.test('path and query part at the first question mark', async (t) => {
  t.strictSame(splitTarget('/v2/a?n=1?x'), { path: '/v2/a', query: 'n=1?x' });
  t.strictSame(splitTarget('/v2/'), { path: '/v2/', query: '' });
  t.strictSame(splitTarget('/v2/a?artifactType=a%2Fb'), {
    path: '/v2/a',
    query: 'artifactType=a%2Fb',
  });
});

t.test('nothing encoded, relative, absolute or unprintable is a path', async (t) => {
  for (const url of [
    '/v2/%2e%2e/manifests/1',
    '/v2/a%2fb/manifests/1',
    '/v2/a/manifests/%31',
    '/v2/../etc/passwd',
    '/v2/a/..',
    '/v2/./a/manifests/1',
    '/v2/a\\b/manifests/1',
    '/v2/a\0/manifests/1',
    '/v2/ä/manifests/1',
    '/v2/a b/manifests/1',
    '/v2/a#b',
    '/v2/a;b/manifests/1',
    '/v2/a/tags/list?n=\x7f',
    '/v2/a/tags/list?n=é',
    'http://other/v2/',
    '//other/v2/../',
    '*',
    'v2/',
    '',
  ]) {
    t.equal(
      refusal(() => splitTarget(url)),
      '400 NAME_INVALID',
      JSON.stringify(url),
    );
  }
});

t.test('a tag may have two dots inside', async (t) => {
  const { path } = splitTarget('/v2/a/manifests/v1..2');
  t.match(parseTarget(path), { reference: { tag: 'v1..2' } });
});

t.test('a URL of 4096 bytes is read, one more is too long', async (t) => {
  const url = `/v2/${'a'.repeat(4092)}`;
  t.equal(splitTarget(url).path.length, 4096);
  t.equal(
    refusal(() => splitTarget(`${url}a`)),
    '414 NAME_INVALID',
  );
});
