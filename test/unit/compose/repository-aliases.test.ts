import t from 'tap';
import { aliasesOf } from '../../../src/compose/repository-aliases.ts';
import type { Config } from '../../../src/config/schema.ts';
import type { RepositoryPath } from '../../../src/oci/repository.ts';

const upstreams = {
  'docker.io': { url: 'https://mirror.test:8443' },
  'ghcr.io': { url: 'https://ghcr.io' },
  demo: { layout: '/srv/demo' },
} as unknown as Config['upstreams'];
const aliases = (upstream: string, path: string) =>
  aliasesOf({ upstreams }, { upstream, path: path as RepositoryPath });

t.test('a repository is known by where it is fetched from', async (t) => {
  t.strictSame(aliases('ghcr.io', 'acme/app'), ['ghcr.io/acme/app']);
});

t.test("Docker Hub's have the names that clients know it by", async (t) => {
  t.strictSame(aliases('docker.io', 'library/nginx'), [
    'mirror.test:8443/library/nginx',
    'index.docker.io/library/nginx',
    'registry-1.docker.io/library/nginx',
  ]);
});

t.test('what lies in a folder, or is not configured, has no other name', async (t) => {
  t.strictSame(aliases('demo', 'app'), []);
  t.strictSame(aliases('quay.io', 'app'), []);
});
