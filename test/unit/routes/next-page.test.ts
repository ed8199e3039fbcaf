import t from 'tap';
import type { RepositoryPath } from '../../../src/oci/repository.ts';
import { nextPageLink } from '../../../src/routes/next-page.ts';

const repository = { upstream: 'docker.io', path: 'library/nginx' as RepositoryPath };

t.test('the link is a path of ours with the name as it was given', async (t) => {
  const named = { repository, givenName: 'docker.io/nginx', givenNamespace: undefined };
  t.equal(
    nextPageLink(named, 'tags/list', [
      ['n', '2'],
      ['last', '1.0'],
    ]),
    '</v2/docker.io/nginx/tags/list?n=2&last=1.0>; rel="next"',
  );
});

t.test('ns goes along, and values are encoded', async (t) => {
  const named = { repository, givenName: 'nginx', givenNamespace: 'localhost:5555' };
  t.equal(
    nextPageLink(named, 'referrers/sha256:x', [['artifactType', 'a/b+json>; rel="x"']]),
    '</v2/nginx/referrers/sha256:x?artifactType=a%2Fb%2Bjson%3E%3B%20rel%3D%22x%22&ns=localhost%3A5555>; rel="next"',
  );
});
