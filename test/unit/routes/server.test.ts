import { once } from 'node:events';
import { request } from 'node:https';
import t from 'tap';
import type { ServerTls } from '../../../src/routes/listener.ts';
import { makeManifest } from '../../support/fake-gate.ts';
import { exchangeRaw, listen, makeRouteServer } from '../../support/route-server.ts';
import { makeServerCertificate } from '../../support/server-certificate.ts';
import { makeChain } from '../../support/test-ca.ts';

const url = '/v2/demo/app/manifests/1.0';

t.test(
  'writes are refused with what is allowed, on every path, and the body is not read',
  async (t) => {
    const { server } = makeRouteServer(t);
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const) {
      for (const path of ['/v2/demo/app/blobs/uploads/', url, '/', '/%2e%2e/']) {
        const answer = await server.inject({
          method,
          url: path,
          payload: '{"__proto__":{}}',
          headers: { 'content-type': 'application/json' },
        });
        t.equal(answer.statusCode, 405, `${method} ${path}`);
        t.equal(answer.headers.allow, 'GET, HEAD');
        t.match(answer.json(), { errors: [{ code: 'UNSUPPORTED' }] });
      }
    }
  },
);

t.test('a method that the router does not know is refused likewise', async (t) => {
  const port = await listen(makeRouteServer(t));
  const answer = await exchangeRaw(t, port, `PROPFIND ${url} HTTP/1.1\r\nHost: a\r\n\r\n`);
  t.match(answer, /^HTTP\/1\.1 405 Method Not Allowed\r\n/);
  t.match(answer, '\r\nAllow: GET, HEAD\r\n');
});

t.test('the raw request target is what is parsed', async (t) => {
  const { server } = makeRouteServer(t, { admitManifest: async () => makeManifest('{}') });
  t.equal((await server.inject({ url })).statusCode, 200);
  t.equal((await server.inject({ url: '/v2/demo%2fapp/manifests/1.0' })).statusCode, 400);
  t.equal((await server.inject({ url: '/v2/demo/app/manifests/1%2e0' })).statusCode, 400);
});

t.test('every request has an id of its own', async (t) => {
  const { server } = makeRouteServer(t);
  const ids = new Set<unknown>();
  for (let index = 0; index < 3; index++) {
    const answer = await server.inject({ url: '/v2/x', headers: { 'x-request-id': 'chosen' } });
    ids.add(answer.headers['x-request-id']);
  }
  t.equal(ids.size, 3);
  t.notOk(ids.has('chosen'), 'none that the client chose');
});

t.test(
  'without an answer in time it is 503 with Retry-After, and the work is not aborted',
  async (t) => {
    const { promise: begun, resolve } = Promise.withResolvers<AbortSignal>();
    const { server } = makeRouteServer(
      t,
      {
        admitManifest(_repository, _reference, signal) {
          resolve(signal);
          return new Promise(() => undefined);
        },
      },
      { limits: { answerDeadlineMs: 20 } },
    );
    const answer = await server.inject({ url });
    t.equal(answer.statusCode, 503);
    t.equal(answer.headers['retry-after'], '5');
    t.match(answer.json(), { errors: [{ code: 'UNAVAILABLE' }] });
    t.equal((await begun).aborted, false);
  },
);

t.test('a server that closes still answers what comes in, and ends the connection', async (t) => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const routes = makeRouteServer(t, {
    async admitManifest() {
      begin();
      await released;
      return makeManifest('{"a":1}');
    },
  });
  const port = await listen(routes);
  const answer = exchangeRaw(t, port, `GET ${url} HTTP/1.1\r\nHost: a\r\n\r\n`);
  await begun;
  const closed = routes.server.close();
  release();
  t.match(await answer, /^HTTP\/1\.1 200 OK\r\n[^]*\{"a":1\}$/);
  await closed;
  t.equal(routes.server.server.listening, false);
});

t.test('more requests at once on one connection than allowed are 429', async (t) => {
  const begun: (() => void)[] = [];
  const routes = makeRouteServer(
    t,
    {
      admitManifest: () =>
        new Promise((resolve) => begun.push(() => resolve(makeManifest('{"a":1}')))),
    },
    { limits: { maxPipelinedRequests: 2 } },
  );
  const port = await listen(routes);
  const closing = once(routes.server.server, 'request').then(() => begun);
  const one = `GET ${url} HTTP/1.1\r\nHost: a\r\n\r\n`;
  const answer = exchangeRaw(t, port, one.repeat(3));
  await closing;
  for (const finish of begun) finish();
  const text = await answer;
  t.equal(text.match(/HTTP\/1\.1 200 /g)?.length, 2);
  t.equal(text.match(/HTTP\/1\.1 429 /g)?.length, 1);
  t.match(text, 'TOOMANYREQUESTS');
  t.match(text, '\r\nRetry-After: 1\r\n');
});

interface TlsClient {
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
}

/** The status of `GET /v2/` over TLS, or how it failed. */
async function pingOver(port: number, client: TlsClient): Promise<number | string> {
  const outgoing = request({ host: '127.0.0.1', port, path: '/v2/', agent: false, ...client });
  outgoing.end();
  try {
    const [answer] = (await once(outgoing, 'response')) as [{ statusCode: number; resume(): void }];
    answer.resume();
    return answer.statusCode;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

t.test('over TLS, with a certificate asked of clients where a CA for them is given', async (t) => {
  const ours = makeServerCertificate();
  const client = makeServerCertificate('client');
  const stranger = makeChain({ authority: 'other' });
  const strangerKey = stranger.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const tls: ServerTls = { certificate: ours.certificate, key: ours.key };
  const open = makeRouteServer(t, {}, { tls });
  t.equal(await pingOver(await listen(open), { ca: ours.ca }), 200);
  const closed = makeRouteServer(t, {}, { tls: { ...tls, clientCa: client.ca } });
  const port = await listen(closed);
  t.type(await pingOver(port, { ca: ours.ca }), 'string', 'none');
  t.type(
    await pingOver(port, { ca: ours.ca, cert: stranger.pem, key: strangerKey }),
    'string',
    "another CA's",
  );
  const known = { ca: ours.ca, cert: client.certificate, key: client.key };
  t.equal(await pingOver(port, known), 200);
});

t.test('the bounds of the listener are in force', async (t) => {
  const { server } = makeRouteServer(t);
  const { headersTimeout, requestTimeout, timeout, keepAliveTimeout } = server.server;
  t.strictSame(
    { headersTimeout, requestTimeout, timeout, keepAliveTimeout },
    { headersTimeout: 10_000, requestTimeout: 30_000, timeout: 60_000, keepAliveTimeout: 75_000 },
  );
  t.equal(server.server.maxConnections, 10_000);
  t.equal(server.server.maxRequestsPerSocket, 10_000);
});
