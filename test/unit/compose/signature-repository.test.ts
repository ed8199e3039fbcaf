import t from 'tap';
import { signatureRepositoryOf } from '../../../src/compose/signature-repository.ts';
import type { Config } from '../../../src/config/schema.ts';
import type { RepositoryPath } from '../../../src/oci/repository.ts';

const upstreams = {
  fixed: { url: 'https://a.example', signatureRepository: 'team/signatures' },
  template: { url: 'https://b.example', signatureRepository: 'signatures/{repository}' },
  plain: { url: 'https://c.example' },
} as unknown as Config['upstreams'];

const found = (upstream: string, path = 'acme/app') =>
  signatureRepositoryOf({ upstreams }, { upstream, path: path as RepositoryPath });

t.test('the repository of signatures is the one named, or made of the own', async (t) => {
  t.equal(found('fixed'), 'team/signatures');
  t.equal(found('template'), 'signatures/acme/app');
  t.equal(found('plain'), undefined);
  t.equal(found('unknown'), undefined);
});

t.test('a name that would be too long to exist is none', async (t) => {
  t.equal(found('template', 'a'.repeat(250)), undefined);
});
