import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import t from 'tap';
import { digestOf } from '../../src/oci/digest.ts';
import type { BlobContent } from '../../src/upstream/content-source.ts';
import { makeBarrier } from '../support/barrier.ts';
import { buildImage, fillerBytes } from '../support/build-image.ts';
import { failureOf, openRemote, openRemoteKit, path, signal, tag } from '../support/remote-kit.ts';
import { manifestAnswer } from '../support/scripted-answers.ts';

const image = buildImage();
const good = manifestAnswer(image.bytes);
const byTag = `GET /v2/${path}/manifests/${tag}`;
const layer = Buffer.from(fillerBytes('layer', 500_000));
const layerDigest = digestOf(layer);
const byBlob = `GET /v2/${path}/blobs/${layerDigest}`;

t.test(
  'an upstream that refuses the connection is unreachable, named, and tried again',
  async (t) => {
    const { upstream, source, waits, metrics } = await openRemoteKit(t);
    await upstream.close();
    const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
    t.equal(error.code, 'UPSTREAM_UNREACHABLE');
    t.match(error.message, /^manifest team\/app:v1 from upstream lab: connect ECONNREFUSED/);
    t.strictSame(waits, [100, 400]);
    const labels = { upstream: 'lab', operation: 'manifest', outcome: 'UPSTREAM_UNREACHABLE' };
    t.equal(metrics.counted('assay_upstream_requests_total', labels), 3);
  },
);

t.test('a name that does not resolve is unreachable', async (t) => {
  const resolve = () =>
    Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }));
  const { source } = openRemote(t, 'http://registry.example', {}, { resolve });
  const error = await failureOf(t, source.resolveTag(path, tag, signal));
  t.equal(error.code, 'UPSTREAM_UNREACHABLE');
});

t.test('a name look-up that never ends is a timeout', async (t) => {
  const resolve = () => new Promise<never>(() => undefined);
  const limits = { connectMs: 30 };
  const { source } = openRemote(t, 'http://registry.example', { limits }, { resolve });
  const alive = setInterval(() => undefined, 1000);
  t.teardown(() => clearInterval(alive));
  t.equal((await failureOf(t, source.resolveTag(path, tag, signal))).code, 'UPSTREAM_TIMEOUT');
});

t.test('a server that accepts and says nothing is a timeout, and is asked once', async (t) => {
  const limits = { headersMs: 50 };
  const { upstream, source } = await openRemoteKit(t, { limits });
  upstream.on(byTag, { hang: 'before-headers' });
  const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
  t.equal(error.code, 'UPSTREAM_TIMEOUT');
  t.equal(upstream.requests.length, 1);
});

t.test('a manifest that stops in the middle is a timeout', async (t) => {
  const limits = { idleMs: 50 };
  const { upstream, source } = await openRemoteKit(t, { limits });
  upstream.on(byTag, { ...good, pauseAt: { bytes: 20, until: makeBarrier() } });
  const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
  t.equal(error.code, 'UPSTREAM_TIMEOUT');
});

t.test('the whole call has one deadline, whatever its parts take', async (t) => {
  const limits = { totalMs: 60 };
  const { upstream, source } = await openRemoteKit(t, { limits });
  upstream.on(byTag, { ...good, after: makeBarrier() });
  const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
  t.equal(error.code, 'UPSTREAM_TIMEOUT');
  t.match(error.message, /took too long/);
});

t.test('a client that leaves ends the request upstream', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  const barrier = makeBarrier();
  upstream.on(byTag, { ...good, after: barrier });
  const client = new AbortController();
  const reason = new Error('the client left');
  const call = source.fetchManifest(path, { tag }, client.signal);
  await barrier.reached;
  client.abort(reason);
  await t.rejects(call, reason);
  t.equal(upstream.requests.length, 1);
});

t.test('500 twice and then an answer is an answer', async (t) => {
  const { upstream, source, waits } = await openRemoteKit(t);
  upstream.on(byTag, { status: 500 }, { status: 502 }, good);
  const manifest = await source.fetchManifest(path, { tag }, signal);
  t.equal(manifest?.digest, image.descriptor.digest);
  t.strictSame(waits, [100, 400]);
});

for (const status of [500, 502, 503, 504, 408]) {
  t.test(`${status} to the end is a failure, never an absence`, async (t) => {
    const { upstream, source } = await openRemoteKit(t);
    upstream.otherwise({ status });
    const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
    t.equal(error.code, 'UPSTREAM_FAILED');
    t.match(error.message, new RegExp(`status ${status}`));
  });
}

for (const status of [201, 204, 206, 304, 400, 410, 416, 418, 451, 501]) {
  t.test(`${status} makes no sense and is said so`, async (t) => {
    const { upstream, source } = await openRemoteKit(t);
    upstream.otherwise({ status });
    const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
    t.equal(error.code, 'UPSTREAM_FAILED');
    t.equal(upstream.requests.length, 1, 'and not tried again');
  });
}

const garbage: Readonly<Record<string, string>> = {
  'no HTTP': 'SSH-2.0-OpenSSH_9.2\r\n\r\n',
  'a status that is none': 'HTTP/1.1 2x0 OK\r\n\r\n',
  'two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x',
  'a length with a sign': 'HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n{}',
  'both a length and chunks':
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
  'chunks without sense': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n',
  'a header with a bare line feed in its name': 'HTTP/1.1 200 OK\r\nX\n: y\r\n\r\n',
  'a megabyte of headers': `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(1024 * 1024)}\r\n\r\n`,
};
for (const [what, raw] of Object.entries(garbage)) {
  t.test(`an answer with ${what} is refused and its connection dropped`, async (t) => {
    const { upstream, source } = await openRemoteKit(t);
    upstream.on(byTag, { raw }, good);
    const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
    t.equal(error.code, 'UPSTREAM_MISBEHAVED', error.message);
    t.ok(await source.fetchManifest(path, { tag }, signal), 'the next request is well');
    t.equal(upstream.connections, 2);
  });
}

t.test('bytes after the stated length are not read into the next answer', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  const smuggled = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}';
  upstream.on(byTag, {
    raw: `HTTP/1.1 200 OK\r\nContent-Length: ${image.bytes.byteLength}\r\n\r\n${Buffer.from(image.bytes).toString()}${smuggled}`,
  });
  const other = buildImage({ name: 'other' });
  const second = `/v2/${path}/manifests/${other.descriptor.digest}`;
  upstream.on(`GET ${second}`, manifestAnswer(other.bytes));
  await source.fetchManifest(path, { tag }, signal).catch(() => undefined);
  const next = await source.fetchManifest(path, { digest: other.descriptor.digest }, signal);
  t.equal(next?.digest, other.descriptor.digest);
});

t.test('a length that is less than the body gives bytes that fail their digest', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.on(byTag, { ...good, length: image.bytes.byteLength - 5 });
  const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
  t.equal(error.code, 'UPSTREAM_MISBEHAVED');
});

t.test('a manifest that is cut is an error, and the next request is well', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.on(byTag, { ...good, cutAt: 30 }, good);
  const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
  t.equal(error.code, 'UPSTREAM_UNREACHABLE');
  t.ok(await source.fetchManifest(path, { tag }, signal));
});

for (const cutAt of [0, 1, 100_000, layer.length - 1]) {
  t.test(`a blob that is cut at byte ${cutAt} never ends well`, async (t) => {
    const { upstream, source } = await openRemoteKit(t);
    upstream.on(byBlob, { body: layer, cutAt });
    const blob = await source.openBlob(path, layerDigest, signal);
    const error = await failureOf(t, readAll(blob));
    t.equal(error.code, 'UPSTREAM_UNREACHABLE');
    t.match(error.message, new RegExp(`^blob team/app@${layerDigest} from upstream lab: `));
  });
}

t.test('a blob that is cut between chunks never ends well', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.on(byBlob, { body: layer, cutAt: 100_000, length: 'unstated' });
  const blob = await source.openBlob(path, layerDigest, signal);
  t.equal(blob?.size, undefined);
  await t.rejects(readAll(blob), { name: 'UpstreamError' });
});

t.test('a blob that stops is a timeout', async (t) => {
  const { upstream, source } = await openRemoteKit(t, { limits: { idleMs: 50 } });
  upstream.on(byBlob, { body: layer, pauseAt: { bytes: 1000, until: makeBarrier() } });
  const blob = await source.openBlob(path, layerDigest, signal);
  const error = await failureOf(t, readAll(blob));
  t.equal(error.code, 'UPSTREAM_TIMEOUT');
});

t.test('a blob may take longer than the deadline of its headers', async (t) => {
  const { upstream, source } = await openRemoteKit(t, { limits: { totalMs: 80 } });
  const until = makeBarrier();
  upstream.on(byBlob, { body: layer, pauseAt: { bytes: 1000, until } });
  const blob = await source.openBlob(path, layerDigest, signal);
  await new Promise((resolve) => AbortSignal.timeout(120).addEventListener('abort', resolve));
  until.release();
  t.ok((await readAll(blob)).equals(layer));
});

t.test('a reader that leaves in the middle of a blob closes the connection upstream', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.on(byBlob, { endless: Buffer.alloc(65_536) });
  const blob = await source.openBlob(path, layerDigest, signal);
  const stream = blob?.stream.on('error', () => undefined);
  await new Promise((resolve) => stream?.once('readable', resolve));
  stream?.destroy();
  await until(() => upstream.open === 0);
  t.equal(upstream.open, 0);
});

t.test('a signal that aborts ends the blob with its reason', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.on(byBlob, { endless: Buffer.alloc(65_536) });
  const client = new AbortController();
  const blob = await source.openBlob(path, layerDigest, client.signal);
  const reason = new Error('the client left');
  const read = readAll(blob);
  client.abort(reason);
  await t.rejects(read, reason);
});

t.test('connections are used again, one request at a time', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.on(byTag, good);
  for (let call = 0; call < 5; call += 1) await source.fetchManifest(path, { tag }, signal);
  t.ok(upstream.connections <= 2, `${upstream.connections} connections`);
  t.equal(upstream.requests.length, 5);
});

t.test('a HEAD leaves its connection to the GET that follows', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  const headers = { ...good.headers, connection: 'keep-alive' };
  upstream.on(`HEAD /v2/${path}/manifests/${tag}`, { ...good, headers });
  upstream.on(byTag, good);
  await source.resolveTag(path, tag, signal);
  await until(() => upstream.open === 1);
  await source.fetchManifest(path, { tag }, signal);
  t.ok(upstream.connections <= 2);
  t.notOk(upstream.requests.some((request) => request.headers.connection === 'close'));
});

t.test('a body after the answer to a HEAD is not read into the next answer', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  const other = buildImage({ name: 'other' });
  const planted = `HTTP/1.1 200 OK\r\nContent-Length: ${other.bytes.byteLength}\r\n\r\n${Buffer.from(other.bytes).toString()}`;
  upstream.on(`HEAD /v2/${path}/manifests/${tag}`, {
    raw: `HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nDocker-Content-Digest: ${image.descriptor.digest}\r\nContent-Length: 5\r\n\r\n${planted}`,
  });
  upstream.on(byTag, good);
  for (let round = 0; round < 10; round += 1) {
    await source.resolveTag(path, tag, signal);
    const manifest = await source.fetchManifest(path, { tag }, signal);
    t.equal(manifest?.digest, image.descriptor.digest);
  }
});

t.test('a source that is closed lets go of its connections', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.on(byTag, good);
  await source.fetchManifest(path, { tag }, signal);
  await source.close();
  await until(() => upstream.open === 0);
  await t.rejects(source.fetchManifest(path, { tag }, signal));
});

t.test('a TLS server with a certificate of nobody is unreachable', async (t) => {
  const plain = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
  t.teardown(() => plain.close());
  const { port } = plain.address() as AddressInfo;
  const { source } = openRemote(t, `https://127.0.0.1:${port}`);
  const error = await failureOf(t, source.resolveTag(path, tag, signal));
  t.equal(error.code, 'UPSTREAM_UNREACHABLE');
});

async function readAll(blob: BlobContent | undefined): Promise<Buffer> {
  if (blob === undefined) throw new Error('there is no such blob');
  return buffer(blob.stream);
}

/** Turns of the event loop until it is so; the test's own time limit ends it otherwise. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}
