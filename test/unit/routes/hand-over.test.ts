import t, { type Test } from 'tap';
import type { TrustedBlob } from '../../../src/gate/trusted-content.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import type { Handover } from '../../../src/storage/handover.ts';
import { makeBlob } from '../../support/fake-gate.ts';
import { makeRouteServer, type RouteServer } from '../../support/route-server.ts';

const bytes = Buffer.from('0123456789');
const digest = digestOf(bytes);
const url = `/v2/demo/app/blobs/${digest}`;
const toS3: Handover = { to: 's3', url: 'https://s3.example/blob?X-Amz-Signature=0' };
const toNginx: Handover = { to: 'nginx', path: '/stored/sha256/00' };
const byNginx = { 'x-assay-stored-at': '/stored/' };

function serving(t: Test, handover: Handover | undefined, more: object = {}): RouteServer {
  const blob = {
    ...makeBlob(bytes, { warnings: ['ends soon'] }),
    handOver: async () => handover,
    ...more,
  } as TrustedBlob;
  return makeRouteServer(t, { admitBlob: async () => blob });
}

t.test('a client is sent to S3 by an answer that nobody keeps', async (t) => {
  const { server } = serving(t, toS3);
  const answer = await server.inject({ url, headers: { range: 'bytes=2-3' } });
  t.equal(answer.statusCode, 307);
  t.equal(answer.payload, '');
  t.match(answer.headers, {
    location: toS3.url,
    'cache-control': 'no-store',
    'content-length': '0',
    'docker-content-digest': digest,
    warning: ['299 - "ends soon"'],
  });
  t.notHas(answer.headers, 'etag');
});

t.test('nginx is told which file, with the headers that go with it', async (t) => {
  const { server } = serving(t, toNginx);
  const answer = await server.inject({ url });
  t.equal(answer.statusCode, 200);
  t.equal(answer.payload, '');
  t.match(answer.headers, {
    'x-accel-redirect': toNginx.path,
    'content-type': 'application/octet-stream',
    'docker-content-digest': digest,
    etag: `"${digest}"`,
    'cache-control': 'no-cache, no-transform',
  });
});

t.test('where nobody can send it, it is sent', async (t) => {
  const { server } = serving(t, undefined);
  const answer = await server.inject({ url });
  t.equal(answer.statusCode, 200);
  t.strictSame(answer.rawPayload, bytes);
  t.notHas(answer.headers, 'x-accel-redirect');
});

t.test('nobody is asked for what needs no bytes, or has them at hand', async (t) => {
  const handOver = () => Promise.reject(new Error('asked'));
  const { server } = serving(t, undefined, { handOver });
  const head = await server.inject({ method: 'HEAD', url });
  t.strictSame([head.statusCode, head.headers['content-length']], [200, '10']);
  const same = await server.inject({ url, headers: { 'if-none-match': `"${digest}"` } });
  t.equal(same.statusCode, 304);
  const behind = await server.inject({ url, headers: { range: 'bytes=10-' } });
  t.equal(behind.statusCode, 416);
  const atHand = serving(t, undefined, { handOver, bytesNow: () => bytes });
  t.strictSame((await atHand.server.inject({ url })).rawPayload, bytes);
});

t.test('what is denied while it is asked who can send it is not handed over', async (t) => {
  let isCut = false;
  const blob = { ...makeBlob(bytes), handOver: async () => toS3 } as TrustedBlob;
  const { server } = makeRouteServer(t, {
    admitBlob: async () => blob,
    whileSent(_repository, _sent, cut) {
      isCut = true;
      cut('denied by digest');
      return () => undefined;
    },
  });
  const outcome = await server.inject({ url }).then(
    ({ headers }) => headers['location'],
    () => 'cut',
  );
  t.ok(isCut);
  t.not(outcome, toS3.url);
});

t.test('only a proxy of ours is believed that it has stored content', async (t) => {
  const told: unknown[] = [];
  const blob = {
    ...makeBlob(bytes),
    handOver: async (takers: unknown) => void told.push(takers),
  } as unknown as TrustedBlob;
  const open = (isProxy: (address: string | undefined) => boolean) =>
    makeRouteServer(t, { admitBlob: async () => blob }, { isProxy }).server;
  const isLocal = (address: string | undefined): boolean => address === '127.0.0.1';
  const answer = await open(isLocal).inject({ url, headers: byNginx });
  t.strictSame(answer.rawPayload, bytes);
  await open(isLocal).inject({ url });
  await open(() => false).inject({ url, headers: byNginx });
  t.strictSame(told, [
    { proxyLocation: '/stored/' },
    { proxyLocation: undefined },
    { proxyLocation: undefined },
  ]);
});

t.test('who asks where to go counts as one who is sent something', async (t) => {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const asked = Promise.withResolvers<void>();
  const blob = {
    ...makeBlob(bytes),
    handOver: () => {
      asked.resolve();
      return late;
    },
  } as unknown as TrustedBlob;
  const { server } = makeRouteServer(
    t,
    { admitBlob: async () => blob },
    { clientLimits: { streams: 1 } },
  );
  const first = server.inject({ url });
  await asked.promise;
  t.equal((await server.inject({ url })).statusCode, 429);
  resolve(undefined);
  t.equal((await first).statusCode, 200);
});
