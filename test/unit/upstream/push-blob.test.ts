import { randomBytes } from 'node:crypto';
import t, { type Test } from 'tap';
import { digestOf } from '../../../src/oci/digest.ts';
import type { RepositoryPath } from '../../../src/oci/repository.ts';
import { openPushTarget, type PushOptions } from '../../../src/upstream/push-target.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { failureOf, path, signal } from '../../support/remote-kit.ts';
import { makeServerCertificate } from '../../support/server-certificate.ts';
import { openScriptedUpstream, type Script } from '../../support/scripted-upstream.ts';

const bytes = randomBytes(2500);
const digest = digestOf(bytes);
const blobPath = `/v2/${path}/blobs/${digest}`;
const uploads = `/v2/${path}/blobs/uploads/`;
const session = `${uploads}session`;
const started: Script = { status: 202, headers: { location: `${session}?_state=a%2Bb` } };
const other = 'team/other' as RepositoryPath;

async function open(t: Test, options: Partial<PushOptions> = {}) {
  const upstream = await openScriptedUpstream();
  t.teardown(() => upstream.close());
  const waits: number[] = [];
  const wait = async (ms: number): Promise<void> => void waits.push(ms);
  const { origin: url } = upstream;
  const target = openPushTarget(
    {
      name: 'lab',
      url,
      plainHttp: 'allowed',
      onSent: () => undefined,
      chunkBytes: 1000,
      ...options,
    },
    { clock: makeFakeClock(), wait },
  );
  t.teardown(() => target.close());
  let opened = 0;
  const blob = {
    digest,
    size: bytes.length,
    async *open() {
      opened += 1;
      yield bytes.subarray(0, 1700);
      yield bytes.subarray(1700);
    },
  };
  upstream.on(`HEAD ${blobPath}`, { status: 404 });
  upstream.on(`POST ${uploads}`, started);
  return {
    upstream,
    waits,
    target,
    blob,
    opened: () => opened,
    push: (from?: RepositoryPath) => target.pushBlob(path, blob, from, signal),
    sent: (method: string) => upstream.requests.filter((request) => request.method === method),
  };
}

/** Takes each chunk, and says where the next one goes. */
const takes: Script = ({ headers }) => ({
  status: 202,
  headers: { location: session, range: `0-${String(headers['content-range']).split('-')[1]}` },
});

t.test('a blob that is there is not sent', async (t) => {
  const { upstream, target, blob } = await open(t);
  upstream.on(`HEAD ${blobPath}`, { headers: { 'content-length': bytes.length } });
  t.equal(await target.hasBlob(path, blob, signal), true);
  t.equal(upstream.requests.length, 1);
});

t.test('a blob of other length under the same digest is an error, not a blob', async (t) => {
  const { upstream, target, blob } = await open(t);
  upstream.on(`HEAD ${blobPath}`, { headers: { 'content-length': 3 } });
  const failure = await failureOf(t, target.hasBlob(path, blob, signal));
  t.equal(failure.code, 'UPSTREAM_MISBEHAVED');
});

t.test('a small blob goes in one request, to where the registry said', async (t) => {
  const { upstream, push, sent } = await open(t, { chunkBytes: 10_000 });
  upstream.on(`PUT ${session}`, { status: 201 });
  t.equal(await push(), 'uploaded');
  const [put] = sent('PUT');
  t.equal(put?.target, `${session}?_state=a%2Bb&digest=${encodeURIComponent(digest)}`);
  t.equal(put?.headers['content-length'], String(bytes.length));
  t.equal(sent('PATCH').length, 0);
});

t.test('a large one goes in chunks, and then its digest', async (t) => {
  const { upstream, push, sent } = await open(t);
  upstream.on(`PATCH ${session}`, takes);
  upstream.on(`PUT ${session}`, { status: 201 });
  t.equal(await push(), 'uploaded');
  t.strictSame(
    sent('PATCH').map(({ headers }) => headers['content-range']),
    ['0-999', '1000-1999', '2000-2499'],
  );
  t.equal(sent('PUT')[0]?.headers['content-length'], '0');
});

t.test('chunks are as large as the registry wants them', async (t) => {
  const { upstream, push, sent } = await open(t);
  const headers = { location: session, 'oci-chunk-min-length': '2000' };
  upstream.on(`POST ${uploads}`, { status: 202, headers });
  upstream.on(`PATCH ${session}`, takes);
  upstream.on(`PUT ${session}`, { status: 201 });
  t.equal(await push(), 'uploaded');
  t.strictSame(
    sent('PATCH').map(({ headers }) => headers['content-range']),
    ['0-1999', '2000-2499'],
  );
});

t.test('an upload that breaks goes on behind what the registry has', async (t) => {
  const { upstream, push, sent, opened } = await open(t);
  upstream.on(`PATCH ${session}`, takes, { status: 500 }, takes);
  const headers = { location: session, range: '0-1499' };
  upstream.on(`GET ${session}`, { status: 204, headers });
  upstream.on(`PUT ${session}`, { status: 201 });
  t.equal(await push(), 'uploaded');
  t.strictSame(
    sent('PATCH').map(({ headers }) => headers['content-range']),
    ['0-999', '1000-1999', '1500-2499'],
  );
  t.equal(opened(), 2, 'the blob is read again from its start');
});

t.test('a registry that has less than was sent is believed', async (t) => {
  const { upstream, push, sent } = await open(t);
  const less = { status: 202, headers: { location: session, range: '0-799' } };
  upstream.on(`PATCH ${session}`, less, takes);
  upstream.on(`GET ${session}`, { ...less, status: 204 });
  upstream.on(`PUT ${session}`, { status: 201 });
  t.equal(await push(), 'uploaded');
  t.equal(sent('PATCH')[1]?.headers['content-range'], '800-1799');
});

t.test('an upload that the registry has forgotten begins anew', async (t) => {
  const { upstream, push, sent } = await open(t);
  upstream.on(`PATCH ${session}`, takes, { status: 503 }, takes);
  upstream.on(`GET ${session}`, { status: 404 });
  upstream.on(`PUT ${session}`, { status: 201 });
  t.equal(await push(), 'uploaded');
  t.equal(sent('POST').length, 2);
  t.equal(sent('PATCH')[2]?.headers['content-range'], '0-999');
});

t.test('where only the answer to the end was lost nothing is sent again', async (t) => {
  const { upstream, push, sent } = await open(t, { chunkBytes: 10_000 });
  upstream.on(`PUT ${session}`, { status: 502 });
  upstream.on(`HEAD ${blobPath}`, { headers: { 'content-length': bytes.length } });
  t.equal(await push(), 'uploaded');
  t.equal(sent('PUT').length, 1);
});

t.test('a registry that fails for ever is given up', async (t) => {
  const { upstream, push, sent, waits } = await open(t, { chunkBytes: 10_000 });
  upstream.on(`PUT ${session}`, { status: 500 });
  upstream.on(`GET ${session}`, { status: 404 });
  const failure = await failureOf(t, push());
  t.equal(failure.code, 'UPSTREAM_FAILED');
  t.match(failure.message, /^blob team\/app@sha256:.* at lab: answered with status 500$/);
  t.equal(sent('PUT').length, 6);
  t.equal(waits.length, 5);
});

t.test('so is one that has a part of an upload and forgets it, over and over', async (t) => {
  const { upstream, push, sent } = await open(t);
  const isLong = (): boolean => sent('PATCH').length > 100;
  upstream.on(`PATCH ${session}`, () => ({ status: isLong() ? 400 : 500 }));
  upstream.on(`GET ${session}`, () => {
    const headers = { location: session, range: '0-999' };
    return sent('GET').length % 2 === 1 ? { status: 204, headers } : { status: 404 };
  });
  t.equal((await failureOf(t, push())).code, 'UPSTREAM_FAILED');
  t.ok(sent('PATCH').length <= 10, `sent ${sent('PATCH').length} times`);
});

t.test('a registry that wants a pause gets it', async (t) => {
  const { upstream, push, waits } = await open(t, { chunkBytes: 10_000 });
  upstream.on(`POST ${uploads}`, { status: 429, headers: { 'retry-after': '30' } }, started);
  upstream.on(`PUT ${session}`, { status: 201 });
  t.equal(await push(), 'uploaded');
  t.strictSame(waits, [30_000]);
});

t.test('a refusal is told in the registry’s words, and not tried again', async (t) => {
  const { upstream, push, sent } = await open(t);
  const body = JSON.stringify({ errors: [{ code: 'DENIED', message: 'project is\nread-only' }] });
  upstream.on(`POST ${uploads}`, { status: 403, body });
  const failure = await failureOf(t, push());
  t.equal(failure.code, 'UPSTREAM_UNAUTHORIZED');
  t.match(failure.message, /status 403: DENIED: project is\\nread-only$/);
  t.equal(sent('POST').length, 1);
});

t.test('one that never answers is given up in its time, and goes on', async (t) => {
  const { upstream, push, sent } = await open(t, {
    chunkBytes: 10_000,
    limits: { headersMs: 150 },
  });
  upstream.on(`PUT ${session}`, { hang: 'before-headers' }, { status: 201 });
  upstream.on(`GET ${session}`, { status: 404 });
  t.equal(await push(), 'uploaded');
  t.equal(sent('PUT').length, 2);
});

t.test('an upload that leads to another host goes nowhere', async (t) => {
  const elsewhere = await openScriptedUpstream();
  t.teardown(() => elsewhere.close());
  const credentials = { username: 'robot', password: 'hunter2' };
  const { upstream, push } = await open(t, { credentials });
  const location = `${elsewhere.origin}${session}`;
  upstream.on(
    `POST ${uploads}`,
    { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } },
    { status: 202, headers: { location } },
  );
  const failure = await failureOf(t, push());
  t.equal(failure.code, 'UPSTREAM_LEADS_ASTRAY');
  t.notMatch(failure.message, /hunter2/);
  t.equal(elsewhere.requests.length, 0);
  t.match(upstream.requests.at(-1)?.headers.authorization, /^Basic /, 'it had logged in');
});

t.test('nor does one whose next chunk is to go there', async (t) => {
  const elsewhere = await openScriptedUpstream();
  t.teardown(() => elsewhere.close());
  const { upstream, push } = await open(t);
  const headers = { location: `${elsewhere.origin}${session}`, range: '0-999' };
  upstream.on(`PATCH ${session}`, { status: 202, headers });
  t.equal((await failureOf(t, push())).code, 'UPSTREAM_LEADS_ASTRAY');
  t.equal(elsewhere.requests.length, 0);
});

t.test('nor does one that whoever its state is asked of somewhere else names', async (t) => {
  const { ca, certificate: cert, key } = makeServerCertificate();
  const elsewhere = await openScriptedUpstream({ tls: { cert, key } });
  t.teardown(() => elsewhere.close());
  const { upstream, push, sent } = await open(t, { ca, allowPrivate: ['127.0.0.1/32'] });
  upstream.on(`PATCH ${session}`, { status: 500 });
  const there = `${elsewhere.origin}${session}`;
  upstream.on(`GET ${session}`, { status: 307, headers: { location: there } });
  const headers = { location: there, range: '0-999' };
  elsewhere.on(`GET ${session}`, { status: 204, headers });
  elsewhere.on(`PATCH ${session}`, takes);
  elsewhere.on(`PUT ${session}`, { status: 201 });
  t.equal((await failureOf(t, push())).code, 'UPSTREAM_LEADS_ASTRAY');
  t.equal(sent('GET').length, 1);
  t.strictSame(
    elsewhere.requests.filter(({ method }) => method !== 'GET'),
    [],
    'no content goes there',
  );
});

t.test('an upload is not redirected', async (t) => {
  const { upstream, push } = await open(t);
  upstream.on(`POST ${uploads}`, { status: 307, headers: { location: '/v2/elsewhere' } });
  t.match((await failureOf(t, push())).message, /status 307/);
});

t.test('the right to push is asked for, and no more', async (t) => {
  const credentials = { username: 'robot', password: 'secret' };
  const { upstream, push } = await open(t, { credentials, chunkBytes: 10_000 });
  const realm = `Bearer realm="${upstream.origin}/token",scope="repository:${path}:pull,push,delete"`;
  upstream.on(`POST ${uploads}`, { status: 401, headers: { 'www-authenticate': realm } }, started);
  upstream.on('GET /token', { body: JSON.stringify({ token: 'abc' }) });
  upstream.on(`PUT ${session}`, { status: 201 });
  t.equal(await push(), 'uploaded');
  t.equal(upstream.seen('/token')[0]?.query.get('scope'), `repository:${path}:pull,push`);
  t.equal(upstream.requests.at(-1)?.headers.authorization, 'Bearer abc');
});

t.test('a token that ends during an upload is renewed, and the upload goes on', async (t) => {
  const { upstream, push, sent } = await open(t);
  const headers = { 'www-authenticate': `Bearer realm="${upstream.origin}/token"` };
  upstream.on('GET /token', { body: '{"token":"a"}' }, { body: '{"token":"b"}' });
  upstream.on(`POST ${uploads}`, { status: 401, headers }, started);
  upstream.on(`PATCH ${session}`, takes, { status: 401, headers }, takes);
  upstream.on(`GET ${session}`, { status: 204, headers: { location: session, range: '0-999' } });
  upstream.on(`PUT ${session}`, { status: 201 });
  t.equal(await push(), 'uploaded');
  t.strictSame(
    sent('PATCH').map(({ headers }) => [headers['content-range'], headers.authorization]),
    [
      ['0-999', 'Bearer a'],
      ['1000-1999', 'Bearer a'],
      ['1000-1999', 'Bearer b'],
      ['2000-2499', 'Bearer b'],
    ],
  );
});

t.test('what another repository has is mounted', async (t) => {
  const { upstream, push, opened } = await open(t);
  upstream.on(`POST ${uploads}`, { status: 201 });
  t.equal(await push(other), 'mounted');
  t.strictSame(Object.fromEntries(upstream.requests[0]?.query ?? []), {
    mount: digest,
    from: other,
  });
  t.equal(opened(), 0);
});

t.test('a mount that is refused is an upload', async (t) => {
  for (const status of [202, 401, 403, 404, 405]) {
    const { upstream, push } = await open(t, { chunkBytes: 10_000 });
    upstream.on(`POST ${uploads}`, { status, headers: { location: session } }, started);
    upstream.on(`PUT ${session}`, { status: 201 });
    t.equal(await push(other), 'uploaded', String(status));
  }
});

t.test('what can not be read here is none of the registry’s failures', async (t) => {
  const { upstream, target, sent } = await open(t, { chunkBytes: 10_000 });
  upstream.on(`PUT ${session}`, { status: 201 });
  const broken = new Error('the disk');
  async function* read(): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(0, 100);
    throw broken;
  }
  const blob = { digest, size: bytes.length, open: read };
  await t.rejects(target.pushBlob(path, blob, undefined, signal), broken);
  t.ok(sent('PUT').length <= 1);
});

t.test('whoever stops gets his own reason', async (t) => {
  const { upstream, target, blob } = await open(t, { chunkBytes: 10_000 });
  const stop = new AbortController();
  upstream.on(`PUT ${session}`, () => {
    stop.abort(new Error('enough'));
    return { hang: 'before-headers' };
  });
  await t.rejects(target.pushBlob(path, blob, undefined, stop.signal), { message: 'enough' });
});

t.test('an empty blob is pushed too', async (t) => {
  const { upstream, target, sent } = await open(t);
  upstream.on(`PUT ${session}`, { status: 201 });
  const none = {
    digest: digestOf(Buffer.alloc(0)),
    size: 0,
    async *open() {},
  };
  t.equal(await target.pushBlob(path, none, undefined, signal), 'uploaded');
  t.equal(sent('PUT')[0]?.headers['content-length'], '0');
});
