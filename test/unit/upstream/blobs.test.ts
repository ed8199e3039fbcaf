import { gzipSync } from 'node:zlib';
import { buffer } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { makeContent } from '../../contract/blob-store.ts';
import { openRemoteKit, path, signal } from '../../support/remote-kit.ts';
import type { Script, Step } from '../../support/scripted-upstream.ts';

const content = makeContent(10_000);
const { digest, size } = content.name;
const blobPath = `/v2/${path}/blobs/${digest}`;
const whole: Step = { body: content.bytes, headers: { etag: '"v1"' } };
const rest = (first: number, headers: Step['headers'] = {}): Step => ({
  status: 206,
  body: content.bytes.subarray(first),
  headers: { 'content-range': `bytes ${first}-9999/10000`, ...headers },
});

async function open(t: Test, ...steps: [Script, ...Script[]]) {
  const kit = await openRemoteKit(t);
  kit.upstream.on(`GET ${blobPath}`, ...steps);
  const seen = () =>
    kit.upstream.seen(blobPath).map(({ headers }) => [headers.range, headers['if-range']]);
  return { ...kit, seen };
}

t.test('the rest of a blob is asked for by Range, of the same representation', async (t) => {
  const { source, seen } = await open(t, rest(4000, { etag: '"v1"' }));
  const wish = { size, range: { first: 4000 }, ifRange: '"v1"' };
  const blob = await source.openBlob(path, digest, signal, wish);
  t.match(blob, { size, range: { first: 4000 }, etag: '"v1"' });
  t.ok((await buffer(blob!.stream)).equals(content.bytes.subarray(4000)));
  t.strictSame(seen(), [['bytes=4000-', '"v1"']]);
});

t.test('all of it is asked for without', async (t) => {
  const { source, seen } = await open(t, whole);
  for (const wish of [
    undefined,
    {},
    { size },
    { range: { first: 0 } },
    { range: { first: 5, last: 9 } },
  ]) {
    const blob = await source.openBlob(path, digest, signal, wish);
    t.equal(blob?.range, undefined);
    t.ok((await buffer(blob!.stream)).equals(content.bytes));
  }
  t.ok(seen().every(([range, ifRange]) => range === undefined && ifRange === undefined));
});

t.test('all of it is taken for the rest where upstream knows no Range', async (t) => {
  const { source, seen } = await open(t, whole);
  const blob = await source.openBlob(path, digest, signal, { size, range: { first: 4000 } });
  t.match(blob, { size, range: undefined });
  t.ok((await buffer(blob!.stream)).equals(content.bytes));
  t.equal(seen().length, 1);
});

const wrong: Readonly<Record<string, Step>> = {
  'says another beginning': rest(4000, { 'content-range': 'bytes 4001-9999/10000' }),
  'says another end': rest(4000, { 'content-range': 'bytes 4000-9998/10000' }),
  'says another size': rest(4000, { 'content-range': 'bytes 4000-9998/9999' }),
  'says no size': rest(4000, { 'content-range': 'bytes 4000-9999/*' }),
  'says nothing': { status: 206, body: content.bytes.subarray(4000) },
  'says nonsense': rest(4000, { 'content-range': 'bites 4000-9999/10000' }),
  'has another length': { ...rest(4000), body: content.bytes.subarray(4001) },
  'is encoded': {
    ...rest(4000, { 'content-encoding': 'gzip' }),
    body: gzipSync(content.bytes.subarray(4000)),
  },
  'is refused': { status: 416, headers: { 'content-range': 'bytes */10000' } },
};
for (const [what, step] of Object.entries(wrong)) {
  t.test(`a part that ${what} is not taken: all of it is asked for then`, async (t) => {
    const { source, seen } = await open(t, step, whole);
    const blob = await source.openBlob(path, digest, signal, { size, range: { first: 4000 } });
    t.match(blob, { size, range: undefined });
    t.ok((await buffer(blob!.stream)).equals(content.bytes));
    t.strictSame(seen(), [
      ['bytes=4000-', undefined],
      [undefined, undefined],
    ]);
  });
}

t.test('a part that nobody asked for is an error', async (t) => {
  const { source } = await open(t, rest(4000));
  await t.rejects(source.openBlob(path, digest, signal, { size }), { code: 'UPSTREAM_FAILED' });
});

t.test('the Range goes along with redirects', async (t) => {
  const kit = await openRemoteKit(t);
  kit.upstream.on(`GET ${blobPath}`, { status: 307, headers: { location: '/elsewhere' } });
  kit.upstream.on('GET /elsewhere', rest(4000));
  const wish = { size, range: { first: 4000 }, ifRange: '"v1"' };
  const blob = await kit.source.openBlob(path, digest, signal, wish);
  t.equal((await buffer(blob!.stream)).length, 6000);
  const [asked] = kit.upstream.seen('/elsewhere');
  t.match(asked?.headers, { range: 'bytes=4000-', 'if-range': '"v1"' });
});

t.test('what is not there is not there, by Range too', async (t) => {
  const { source } = await open(t, { status: 404 });
  t.equal(await source.openBlob(path, digest, signal, { size, range: { first: 1 } }), undefined);
});

for (const [what, headers] of Object.entries({
  'a weak one': { etag: 'W/"v1"' },
  'one without quotes': { etag: 'v1' },
  several: { etag: ['"v1"', '"v2"'] as never },
  'one of encoded bytes': { etag: '"v1"', 'content-encoding': 'gzip' },
  none: {},
})) {
  t.test(`of ETags, ${what} names no bytes`, async (t) => {
    const isEncoded = 'content-encoding' in headers;
    const body = isEncoded ? gzipSync(content.bytes) : content.bytes;
    const { source } = await open(t, { body, headers });
    const blob = await source.openBlob(path, digest, signal);
    t.equal(blob?.etag, undefined);
    t.ok((await buffer(blob!.stream)).equals(content.bytes));
  });
}
