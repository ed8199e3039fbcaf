import t from 'tap';
import { DeniedError } from '../../../src/gate/gate-error.ts';
import { mediaTypes } from '../../../src/oci/media-types.ts';
import { makeManifest, makeVerdict } from '../../support/fake-gate.ts';
import { makeRouteServer } from '../../support/route-server.ts';

const text = '{"schemaVersion":2}\n';
const manifest = makeManifest(text);
const { digest } = manifest.descriptor;
const url = '/v2/demo/app/manifests/1.0';

t.test('GET sends the bytes as they are, with every header that names them', async (t) => {
  const { server } = makeRouteServer(t, { admitManifest: async () => manifest });
  const answer = await server.inject({ url });
  t.equal(answer.statusCode, 200);
  t.strictSame(answer.rawPayload, Buffer.from(text));
  t.match(answer.headers, {
    'content-type': mediaTypes.ociManifest,
    'content-length': String(text.length),
    'docker-content-digest': digest,
    etag: `"${digest}"`,
    'oci-namespace': 'demo',
    'docker-distribution-api-version': 'registry/2.0',
    'cache-control': 'no-cache, no-transform',
    'x-content-type-options': 'nosniff',
  });
  t.notHas(answer.headers, 'warning');
  t.notHas(answer.headers, 'content-encoding');
  t.notHas(answer.headers, 'accept-ranges');
});

t.test('HEAD has the headers of GET, and no body', async (t) => {
  const { server } = makeRouteServer(t, { admitManifest: async () => manifest });
  const get = await server.inject({ url });
  const head = await server.inject({ method: 'HEAD', url });
  t.equal(head.statusCode, 200);
  t.strictSame({ ...head.headers, date: '' }, { ...get.headers, date: '' });
  t.equal(head.payload, '');
});

t.test('the gate is asked for what the request names, and for nothing else of it', async (t) => {
  const asked: unknown[] = [];
  const { server } = makeRouteServer(t, {
    async admitManifest(repository, reference, ...rest) {
      asked.push({ repository, reference });
      t.equal(rest.length, 1, 'a signal is all that goes along');
      return manifest;
    },
  });
  const headers = { authorization: 'Bearer secret', accept: '*/*' };
  await server.inject({ url, headers });
  await server.inject({ url: `/v2/nginx/manifests/${digest}?ns=docker.io`, headers });
  t.strictSame(asked, [
    { repository: { upstream: 'demo', path: 'app' }, reference: { tag: '1.0' } },
    { repository: { upstream: 'docker.io', path: 'library/nginx' }, reference: { digest } },
  ]);
});

t.test('the gate decides before a condition is looked at', async (t) => {
  const denied = new DeniedError(makeVerdict(), 'unsigned');
  const { server } = makeRouteServer(t, { admitManifest: () => Promise.reject(denied) });
  const headers = { 'if-none-match': '*' };
  t.equal((await server.inject({ url, headers })).statusCode, 403);
  t.equal((await server.inject({ method: 'HEAD', url, headers })).statusCode, 403);
});

t.test('If-None-Match with the digest is 304, on GET and HEAD', async (t) => {
  const warned = makeManifest(text, { warnings: ['ends soon'] });
  const { server } = makeRouteServer(t, { admitManifest: async () => warned });
  for (const method of ['GET', 'HEAD'] as const) {
    const answer = await server.inject({
      method,
      url,
      headers: { 'if-none-match': `"${digest}"` },
    });
    t.equal(answer.statusCode, 304);
    t.equal(answer.payload, '');
    t.match(answer.headers, {
      etag: `"${digest}"`,
      'docker-content-digest': digest,
      'oci-namespace': 'demo',
      warning: ['299 - "ends soon"'],
    });
    t.notHas(answer.headers, 'content-type');
  }
  const other = await server.inject({ url, headers: { 'if-none-match': '"sha256:other"' } });
  t.equal(other.statusCode, 200);
});

t.test('If-Match with another digest is 412', async (t) => {
  const { server } = makeRouteServer(t, { admitManifest: async () => manifest });
  const answer = await server.inject({ url, headers: { 'if-match': '"sha256:other"' } });
  t.equal(answer.statusCode, 412);
  t.match(answer.json(), { errors: [{ code: 'MANIFEST_UNKNOWN' }] });
});

t.test(
  'a type that Accept excludes is not found; what is acceptable is never converted',
  async (t) => {
    const { server } = makeRouteServer(t, { admitManifest: async () => manifest });
    const get = (accept: string) => server.inject({ url, headers: { accept } });
    const excluded = await get(mediaTypes.dockerManifest);
    t.equal(excluded.statusCode, 404);
    t.match(excluded.json(), { errors: [{ code: 'MANIFEST_UNKNOWN' }] });
    t.equal(excluded.headers.vary, 'Accept');
    for (const accept of [mediaTypes.ociManifest, `${mediaTypes.dockerManifest}, */*`, '*/*']) {
      const answer = await get(accept);
      t.equal(answer.statusCode, 200, accept);
      t.equal(answer.headers['content-type'], mediaTypes.ociManifest);
    }
  },
);

t.test('a range is not for manifests', async (t) => {
  const { server } = makeRouteServer(t, { admitManifest: async () => manifest });
  const answer = await server.inject({ url, headers: { range: 'bytes=0-3' } });
  t.equal(answer.statusCode, 200);
  t.equal(answer.payload, text);
});

t.test('warnings of the admission are headers, escaped', async (t) => {
  const warnings = ['audit mode: "unsigned"', 'exempt\r\nX-Evil: 1'];
  const { server } = makeRouteServer(t, {
    admitManifest: async () => makeManifest(text, { warnings }),
  });
  const { headers } = await server.inject({ url });
  t.strictSame(headers.warning, [
    '299 - "audit mode: \\"unsigned\\""',
    '299 - "exempt?X-Evil: 1"',
  ] as unknown as string);
  t.notHas(headers, 'x-evil');
});

t.test('what was sent is counted, by GET alone', async (t) => {
  const { server, counts } = makeRouteServer(t, { admitManifest: async () => manifest });
  await server.inject({ url });
  await server.inject({ method: 'HEAD', url });
  t.strictSame(counts, [
    `assay_bytes_served_total{"kind":"manifest"} ${text.length}`,
    'assay_requests_total{"route":"manifests","method":"GET","status":"200"} 1',
    'assay_requests_total{"route":"manifests","method":"HEAD","status":"200"} 1',
  ]);
});
