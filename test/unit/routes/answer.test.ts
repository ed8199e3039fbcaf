import t from 'tap';
import { makeBlob, makeManifest, makeReferrers, makeTags } from '../../support/fake-gate.ts';
import { makeRouteServer } from '../../support/route-server.ts';

const digest = `sha256:${'a'.repeat(64)}`;

t.test('the ping answers without any upstream, with a slash or without', async (t) => {
  const { server } = makeRouteServer(
    t,
    {},
    { names: { upstreams: new Set(), hosts: new Map(), defaultUpstream: undefined } },
  );
  for (const url of ['/v2/', '/v2', '/v2/?ns=docker.io']) {
    for (const method of ['GET', 'HEAD'] as const) {
      const answer = await server.inject({ method, url });
      t.equal(answer.statusCode, 200);
      t.equal(answer.headers['docker-distribution-api-version'], 'registry/2.0');
      t.equal(answer.headers['content-type'], 'application/json');
      t.equal(answer.headers['content-length'], '2');
      t.equal(answer.payload, method === 'GET' ? '{}' : '');
    }
  }
});

t.test('each endpoint asks the gate by its own method', async (t) => {
  const asked: string[] = [];
  const { server, counts } = makeRouteServer(t, {
    async admitManifest(_repository, reference) {
      asked.push(`manifest ${JSON.stringify(reference)}`);
      return makeManifest('{}');
    },
    async admitBlob(_repository, blobDigest) {
      asked.push(`blob ${blobDigest}`);
      return makeBlob(Buffer.from('x'), { atHand: true });
    },
    async admitReferrers(_repository, subject) {
      asked.push(`referrers ${subject}`);
      return makeReferrers([]);
    },
    async listTags(repository) {
      asked.push(`tags ${repository.path}`);
      return makeTags([]);
    },
  });
  for (const rest of ['manifests/1', `blobs/${digest}`, `referrers/${digest}`, 'tags/list']) {
    t.equal((await server.inject({ url: `/v2/demo/app/${rest}` })).statusCode, 200, rest);
  }
  t.strictSame(asked, [
    'manifest {"tag":"1"}',
    `blob ${digest}`,
    `referrers ${digest}`,
    'tags app',
  ]);
  const routes = counts.filter((line) => line.startsWith('assay_requests_total'));
  t.strictSame(
    routes.map((line) => /"route":"(\w+)"/.exec(line)?.[1]),
    ['manifests', 'blobs', 'referrers', 'tags'],
  );
});

t.test(
  'the name comes from ns, the path and the Host header, and two that disagree are 400',
  async (t) => {
    const scopes: string[] = [];
    const { server } = makeRouteServer(t, {
      async admitManifest({ upstream, path }) {
        scopes.push(`${upstream}/${path}`);
        return makeManifest('{}');
      },
    });
    const get = async (url: string, host = 'proxy.test'): Promise<number> =>
      (await server.inject({ url, headers: { host } })).statusCode;
    t.equal(await get('/v2/ghcr.io/a/b/manifests/1'), 200);
    t.equal(await get('/v2/a/b/manifests/1?ns=ghcr.io'), 200);
    t.equal(await get('/v2/nginx/manifests/1', 'hub.test:5000'), 200);
    t.equal(await get('/v2/nginx/manifests/1?ns=ghcr.io', 'hub.test'), 400);
    t.equal(await get('/v2/a/b/manifests/1?ns=127.0.0.1%3A6379'), 404);
    t.equal(await get('/v2/a/b/manifests/1?ns=ghcr.io&ns=docker.io'), 400);
    t.equal(await get('/v2/a/b/manifests/1'), 404);
    t.strictSame(scopes, ['ghcr.io/a/b', 'ghcr.io/a/b', 'docker.io/library/nginx']);
  },
);

t.test('the catalogue is not offered', async (t) => {
  const { server } = makeRouteServer(t);
  const answer = await server.inject({ url: '/v2/_catalog' });
  t.equal(answer.statusCode, 404);
  t.match(answer.json(), { errors: [{ code: 'UNSUPPORTED' }] });
});
