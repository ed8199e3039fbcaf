import t from 'tap';
import type { RepositoryPath } from '../../../src/oci/repository.ts';
import { identityHeaders } from '../../../src/routes/content-headers.ts';
import { makeFakeExchange } from '../../support/fake-exchange.ts';
import { makeManifest } from '../../support/fake-gate.ts';

const repository = { upstream: 'docker.io', path: 'library/nginx' as RepositoryPath };

t.test(
  'content is named by digest, validator and upstream, and not to be changed or assumed',
  async (t) => {
    const exchange = makeFakeExchange();
    exchange.named = { repository, givenName: 'nginx', givenNamespace: undefined };
    const manifest = makeManifest('{}');
    const { digest } = manifest.descriptor;
    t.strictSame(identityHeaders(exchange, manifest), {
      'Docker-Content-Digest': digest,
      ETag: `"${digest}"`,
      'Cache-Control': 'no-cache, no-transform',
      'X-Content-Type-Options': 'nosniff',
      'OCI-Namespace': 'docker.io',
    });
  },
);

t.test('each warning is a header of its own', async (t) => {
  const manifest = makeManifest('{}', { warnings: ['one', 'two'] });
  const headers = identityHeaders(makeFakeExchange(), manifest);
  t.strictSame(headers['Warning'], ['299 - "one"', '299 - "two"']);
  t.notHas(headers, 'OCI-Namespace');
});
