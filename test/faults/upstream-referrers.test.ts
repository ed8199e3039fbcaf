import t from 'tap';
import { digestOf, referrersTag } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { buildImage, buildIndex } from '../support/build-image.ts';
import { makeBarrier } from '../support/barrier.ts';
import { failureOf, openRemoteKit, path, signal } from '../support/remote-kit.ts';
import {
  endlessPages,
  gzipped,
  htmlPage,
  indexAnswer,
  jsonAnswer,
  manifestAnswer,
  tooManyRequests,
} from '../support/scripted-answers.ts';
import type { Step } from '../support/scripted-upstream.ts';
import { makeKeptLog } from '../support/silence.ts';

const image = buildImage();
const { digest } = image.descriptor;
const api = `/v2/${path}/referrers/${digest}`;
const fallback = `/v2/${path}/manifests/${referrersTag(digest)}`;

const entry = (name: string, artifactType = 'application/vnd.example') => ({
  mediaType: mediaTypes.ociManifest,
  digest: digestOf(Buffer.from(name)),
  size: 10,
  artifactType,
});

t.test(
  'both places are asked, and what they say is merged, each once, the API first',
  async (t) => {
    const { upstream, source } = await openRemoteKit(t);
    upstream.on(`GET ${api}`, indexAnswer([entry('a', 'x/api'), entry('b')]));
    upstream.on(`GET ${fallback}`, indexAnswer([entry('a', 'x/tag'), entry('c')]));
    const { found } = await source.listReferrers(path, digest, signal);
    t.strictSame(found, [entry('a', 'x/api'), entry('b'), entry('c')]);
  },
);

t.test('both places are asked at the same time', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  const [first, second] = [makeBarrier(), makeBarrier()];
  upstream.on(`GET ${api}`, { ...indexAnswer([entry('a')]), after: first });
  upstream.on(`GET ${fallback}`, { status: 404, after: second });
  const call = source.listReferrers(path, digest, signal);
  await Promise.all([first.reached, second.reached]);
  first.release();
  second.release();
  t.equal((await call).found.length, 1);
});

t.test('an API that is empty does not hide what lies under the tag', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.on(`GET ${api}`, indexAnswer([]));
  upstream.on(`GET ${fallback}`, indexAnswer([entry('a')]));
  t.strictSame(await source.listReferrers(path, digest, signal), { found: [entry('a')] });
});

t.test('404 in both places means none', async (t) => {
  const { source, upstream } = await openRemoteKit(t);
  t.strictSame(await source.listReferrers(path, digest, signal), { found: [] });
  t.equal(upstream.requests.length, 2);
});

t.test('an upstream that answers an absent tag with the image itself has none', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  const index = buildIndex();
  const subject = index.descriptor.digest;
  upstream.on(
    `GET /v2/${path}/manifests/${referrersTag(subject)}`,
    manifestAnswer(index.bytes, mediaTypes.ociIndex),
  );
  t.strictSame(await source.listReferrers(path, subject, signal), { found: [] });
  upstream.on(`GET ${fallback}`, manifestAnswer(buildImage({ name: 'other' }).bytes));
  t.strictSame(
    await source.listReferrers(path, digest, signal),
    { found: [] },
    'nor has an image manifest',
  );
});

/** What one place may say while the other one says that there is none. */
const failures: Readonly<Record<string, [Step, string]>> = {
  'is 401': [{ status: 401 }, 'UPSTREAM_UNAUTHORIZED'],
  'is 403': [{ status: 403 }, 'UPSTREAM_UNAUTHORIZED'],
  'is 400': [{ status: 400 }, 'UPSTREAM_FAILED'],
  'is 405': [{ status: 405 }, 'UPSTREAM_FAILED'],
  'is 410': [{ status: 410 }, 'UPSTREAM_FAILED'],
  'is 429': [tooManyRequests('30'), 'UPSTREAM_RATE_LIMITED'],
  'is 500': [{ status: 500 }, 'UPSTREAM_FAILED'],
  'is 503': [{ status: 503 }, 'UPSTREAM_FAILED'],
  hangs: [{ hang: 'before-headers' }, 'UPSTREAM_TIMEOUT'],
  'is cut': [{ ...indexAnswer([entry('a')]), cutAt: 20 }, 'UPSTREAM_UNREACHABLE'],
  'is HTML': [htmlPage(), 'UPSTREAM_MISBEHAVED'],
  'is not JSON': [
    { body: '{', headers: { 'content-type': mediaTypes.ociIndex } },
    'UPSTREAM_MISBEHAVED',
  ],
  'has its list twice': [
    {
      body: '{"schemaVersion":2,"manifests":[],"manifests":[]}',
      headers: { 'content-type': mediaTypes.ociIndex },
    },
    'UPSTREAM_MISBEHAVED',
  ],
  'has no list': [
    jsonAnswer({ schemaVersion: 2 }, { 'content-type': mediaTypes.ociIndex }),
    'UPSTREAM_MISBEHAVED',
  ],
  'is as deep as a well': [
    {
      body: `{"manifests":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      headers: { 'content-type': mediaTypes.ociIndex },
    },
    'UPSTREAM_MISBEHAVED',
  ],
  'is endless': [
    { endless: Buffer.alloc(65_536, 32), headers: { 'content-type': mediaTypes.ociIndex } },
    'UPSTREAM_TOO_LARGE',
  ],
  'redirects into our network': [
    { status: 307, headers: { location: 'https://169.254.169.254/' } },
    'UPSTREAM_LEADS_ASTRAY',
  ],
};
const places = { 'the API': api, 'the fallback tag': fallback };
for (const [place, target] of Object.entries(places)) {
  for (const [what, [step, code]] of Object.entries(failures)) {
    t.test(`where ${place} ${what}, we could not find out`, async (t) => {
      const { upstream, source } = await openRemoteKit(t, { limits: { headersMs: 50 } });
      upstream.on(`GET ${target}`, step);
      const error = await failureOf(t, source.listReferrers(path, digest, signal));
      t.equal(error.code, code, error.message);
      t.match(error.message, /from upstream lab/);
    });
  }
}

t.test('pages are followed to the last one', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.on(
    `GET ${api}`,
    ...((['a', 'b', 'c'] as const).map((name, index) => {
      const page = indexAnswer([entry(name)]);
      const link = `<${api}?page=${index + 2}>; rel="next"`;
      return index === 2 ? page : { ...page, headers: { ...page.headers, link } };
    }) as [Step, Step, Step]),
  );
  const { found } = await source.listReferrers(path, digest, signal);
  t.strictSame(found, [entry('a'), entry('b'), entry('c')]);
});

for (const [place, target] of Object.entries(places)) {
  t.test(`what ${place} lists counts, although the other place can not be asked`, async (t) => {
    const { upstream, source } = await openRemoteKit(t);
    upstream.on(`GET ${target}`, indexAnswer([entry('a')]));
    upstream.on(`GET ${target === api ? fallback : api}`, { status: 403 });
    const { found, incomplete } = await source.listReferrers(path, digest, signal);
    t.strictSame(found, [entry('a')]);
    t.equal(incomplete?.code, 'UPSTREAM_UNAUTHORIZED');
  });

  t.test(`of 2001 entries in ${place} 2000 count, and there are more`, async (t) => {
    const { upstream, source } = await openRemoteKit(t);
    const entries = Array.from({ length: 2001 }, (_, index) => entry(`${index}`));
    upstream.on(`GET ${target}`, indexAnswer(entries));
    const { found, incomplete } = await source.listReferrers(path, digest, signal);
    t.strictSame(found, entries.slice(0, 2000));
    t.equal(incomplete?.code, 'UPSTREAM_TOO_LARGE');
  });
}

t.test('pages without end are followed to the fortieth, and there are more', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  const body = (page: number) => ({ schemaVersion: 2, manifests: [entry(`${page}`)] });
  upstream.on(`GET ${api}`, endlessPages(body, mediaTypes.ociIndex));
  const { found, incomplete } = await source.listReferrers(path, digest, signal);
  t.equal(incomplete?.code, 'UPSTREAM_TOO_LARGE');
  t.equal(found.length, 40);
  t.equal(upstream.seen(api).length, 40);
});

t.test('pages of 8 MiB together are no whole list', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  const filler = 'x'.repeat(1024 * 1024);
  const body = (page: number) => ({ schemaVersion: 2, manifests: [entry(`${page}`)], filler });
  upstream.on(`GET ${api}`, endlessPages(body, mediaTypes.ociIndex));
  const { incomplete } = await source.listReferrers(path, digest, signal);
  t.equal(incomplete?.code, 'UPSTREAM_TOO_LARGE');
  t.ok(upstream.seen(api).length <= 8);
});

t.test('a page that is named and not there is no end of the list', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  const page = indexAnswer([entry('a')]);
  const link = `<${api}?page=2>; rel="next"`;
  upstream.on(`GET ${api}`, { ...page, headers: { ...page.headers, link } }, { status: 404 });
  const { found, incomplete } = await source.listReferrers(path, digest, signal);
  t.strictSame(found, [entry('a')]);
  t.equal(incomplete?.code, 'UPSTREAM_MISBEHAVED');
});

for (const link of [
  'https://evil.example/',
  '//127.0.0.1/',
  '/v2/other/referrers/x',
  '/v2/team/app/manifests/x',
  '',
]) {
  t.test(`a next page ${JSON.stringify(link)} is not followed`, async (t) => {
    const { upstream, source } = await openRemoteKit(t);
    const page = indexAnswer([entry('a')]);
    upstream.on(`GET ${api}`, {
      ...page,
      headers: { ...page.headers, link: `<${link}>; rel="next"` },
    });
    const { incomplete } = await source.listReferrers(path, digest, signal);
    const codes = ['UPSTREAM_LEADS_ASTRAY', 'UPSTREAM_MISBEHAVED'];
    t.ok(codes.includes(incomplete?.code ?? ''));
    t.equal(upstream.seen(api).length, 1);
  });
}

t.test('entries that are no descriptors hide no others', async (t) => {
  const log = makeKeptLog();
  const { upstream, source } = await openRemoteKit(t, {}, { log });
  const strange = [
    null,
    7,
    'x',
    [],
    {},
    { ...entry('b'), size: -1 },
    { ...entry('b'), digest: 'x' },
  ];
  upstream.on(`GET ${api}`, indexAnswer([...(strange as object[]), entry('a')]));
  t.strictSame(await source.listReferrers(path, digest, signal), { found: [entry('a')] });
  t.match(log.lines, [{ level: 'warn', fields: { skipped: strange.length } }]);
});

t.test('a list that comes gzipped all the same is decoded', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.on(`GET ${api}`, gzipped(indexAnswer([entry('a')])));
  t.strictSame(await source.listReferrers(path, digest, signal), { found: [entry('a')] });
});

t.test('a place that hangs ends with the call, and the other one still counts', async (t) => {
  const { upstream, source } = await openRemoteKit(t, { limits: { headersMs: 50 } });
  upstream.on(`GET ${api}`, { hang: 'before-headers' });
  upstream.on(`GET ${fallback}`, indexAnswer([entry('a')]));
  const { found, incomplete } = await source.listReferrers(path, digest, signal);
  t.strictSame(found, [entry('a')]);
  t.equal(incomplete?.code, 'UPSTREAM_TIMEOUT');
});
