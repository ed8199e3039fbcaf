import t from 'tap';
import { digestOf } from '../../../src/oci/digest.ts';
import { parseTag, type Tag } from '../../../src/oci/reference.ts';
import { parseRepositoryPath, type RepositoryPath } from '../../../src/oci/repository.ts';
import { makeRegistryUrls, readUpstreamOrigin } from '../../../src/upstream/registry-url.ts';

const path = parseRepositoryPath('team/app_x.y--z') as RepositoryPath;
const tag = parseTag('_v1.0-RC') as Tag;

t.test('URLs are what the specification says, with the colon of a digest as it is', async (t) => {
  const urls = makeRegistryUrls('https://registry.example:8443');
  const base = 'https://registry.example:8443/v2/team/app_x.y--z';
  for (const algorithm of ['sha256', 'sha512'] as const) {
    const digest = digestOf(Buffer.from('x'), algorithm);
    t.equal(urls.manifest(path, { digest }).href, `${base}/manifests/${digest}`);
    t.equal(urls.blob(path, digest).href, `${base}/blobs/${digest}`);
    t.equal(urls.referrers(path, digest).href, `${base}/referrers/${digest}`);
  }
  t.equal(urls.manifest(path, { tag }).href, `${base}/manifests/_v1.0-RC`);
  t.equal(urls.tags(path, { limit: 5 }).href, `${base}/tags/list?n=5`);
  t.equal(urls.tags(path, { limit: 5, last: tag }).href, `${base}/tags/list?n=5&last=_v1.0-RC`);
  t.equal(urls.prefix(path), '/v2/team/app_x.y--z/');
});

t.test('an upstream is an origin, https unless plain http was asked for', async (t) => {
  t.equal(readUpstreamOrigin('https://ghcr.io', undefined), 'https://ghcr.io');
  t.equal(readUpstreamOrigin('https://GHCR.io:443/', undefined), 'https://ghcr.io');
  t.equal(readUpstreamOrigin('http://127.0.0.1:5000', 'allowed'), 'http://127.0.0.1:5000');
  const bad = [
    'http://ghcr.io',
    'ftp://ghcr.io',
    'ghcr.io',
    'https://user:secret@ghcr.io',
    'https://ghcr.io/v2',
    'https://ghcr.io/?x',
    'https://ghcr.io/#x',
  ];
  for (const url of bad) {
    t.throws(() => readUpstreamOrigin(url, undefined), TypeError, url);
  }
});
