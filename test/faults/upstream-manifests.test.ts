import * as zlib from 'node:zlib';
import t from 'tap';
import { digestOf } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { buildImage } from '../support/build-image.ts';
import { failureOf, openRemoteKit, path, signal, tag } from '../support/remote-kit.ts';
import { gzipped, htmlPage, jsonAnswer, manifestAnswer } from '../support/scripted-answers.ts';
import type { Step } from '../support/scripted-upstream.ts';

const image = buildImage();
const { digest } = image.descriptor;
const other = buildImage({ name: 'other' });
const good = manifestAnswer(image.bytes);
const byTag = `/v2/${path}/manifests/${tag}`;
const byDigest = `/v2/${path}/manifests/${digest}`;

t.test(
  'every request asks for all that we understand, unencoded, and sends nothing else',
  async (t) => {
    const { upstream, source } = await openRemoteKit(t);
    upstream.on(`GET ${byTag}`, good);
    upstream.on(`HEAD ${byTag}`, good);
    await source.fetchManifest(path, { tag }, signal);
    await source.resolveTag(path, tag, signal);
    t.strictSame(
      upstream.requests.map(({ headers }) => headers),
      upstream.requests.map(() => ({
        host: new URL(upstream.origin).host,
        connection: 'keep-alive',
        'user-agent': 'assay',
        'accept-encoding': 'identity',
        accept: [
          mediaTypes.ociIndex,
          mediaTypes.ociManifest,
          mediaTypes.dockerList,
          mediaTypes.dockerManifest,
        ].join(', '),
      })),
    );
  },
);

t.test(
  'CVE-2023-47630 (kyverno): by digest other bytes are refused and counted, whatever the header says',
  async (t) => {
    const { upstream, source, metrics } = await openRemoteKit(t);
    upstream.on(`GET ${byDigest}`, {
      ...manifestAnswer(other.bytes),
      headers: { 'content-type': mediaTypes.ociManifest, 'docker-content-digest': digest },
    });
    const error = await failureOf(t, source.fetchManifest(path, { digest }, signal));
    t.equal(error.code, 'UPSTREAM_MISBEHAVED');
    t.match(error.message, `bytes that are not ${digest}`);
    t.equal(metrics.counted('assay_content_mismatch_total', { upstream: 'lab' }), 1);
  },
);

t.test('by digest the right bytes are taken, whatever the header says', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  for (const claimed of [other.descriptor.digest, 'nonsense', '']) {
    upstream.on(`GET ${byDigest}`, { ...good, headers: { 'docker-content-digest': claimed } });
    const manifest = await source.fetchManifest(path, { digest }, signal);
    t.equal(manifest?.digest, digest);
  }
});

t.test('by tag bytes that are not what the header says are refused and counted', async (t) => {
  const { upstream, source, metrics } = await openRemoteKit(t);
  upstream.on(`GET ${byTag}`, {
    ...good,
    headers: { 'docker-content-digest': other.descriptor.digest },
  });
  const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
  t.equal(error.code, 'UPSTREAM_MISBEHAVED');
  t.equal(metrics.counted('assay_content_mismatch_total', { upstream: 'lab' }), 1);
});

t.test('by tag the digest is computed, also where upstream states none or a sha512', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  for (const headers of [{}, { 'docker-content-digest': digestOf(image.bytes, 'sha512') }]) {
    upstream.on(`GET ${byTag}`, { ...good, headers });
    t.equal((await source.fetchManifest(path, { tag }, signal))?.digest, digest);
  }
});

t.test('an upstream that alternates its bytes gives by digest only the right ones', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  let call = 0;
  upstream.on(`GET ${byDigest}`, () => {
    call += 1;
    return manifestAnswer(call % 2 === 0 ? other.bytes : image.bytes);
  });
  const outcomes = new Set<string>();
  for (let round = 0; round < 40; round += 1) {
    const outcome = await source.fetchManifest(path, { digest }, signal).then(
      (manifest) => digestOf(manifest?.bytes ?? new Uint8Array()),
      (error: Error) => error.name,
    );
    outcomes.add(outcome);
  }
  t.strictSame(outcomes, new Set([digest, 'UpstreamError']));
});

t.test('a page of a portal is no manifest: we could not find out', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.otherwise(htmlPage(digest));
  for (const reference of [{ tag }, { digest }]) {
    const error = await failureOf(t, source.fetchManifest(path, reference, signal));
    t.equal(error.code, 'UPSTREAM_MISBEHAVED');
  }
  upstream.otherwise(htmlPage());
  const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
  t.match(error.message, /HTML page/);
});

const encoders: Readonly<Record<string, (bytes: Uint8Array) => Buffer>> = {
  gzip: zlib.gzipSync,
  'x-gzip': zlib.gzipSync,
  deflate: zlib.deflateSync,
  br: (bytes) =>
    zlib.brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } }),
  zstd: zlib.zstdCompressSync,
};
function encoded(coding: string, body: Uint8Array): Step {
  const headers = { ...good.headers, 'content-encoding': coding };
  return { headers, body: (encoders[coding] ?? zlib.gzipSync)(body) };
}

const bomb = Buffer.alloc(40 * 1024 * 1024);

for (const coding of Object.keys(encoders)) {
  t.test(
    `a manifest that comes as ${coding} all the same is decoded before it is hashed`,
    async (t) => {
      const { upstream, source } = await openRemoteKit(t);
      upstream.otherwise(encoded(coding, image.bytes));
      for (const reference of [{ tag }, { digest }]) {
        const manifest = await source.fetchManifest(path, reference, signal);
        t.strictSame(Buffer.from(manifest?.bytes ?? []), Buffer.from(image.bytes));
      }
    },
  );

  t.test(`a bomb in ${coding} is stopped at the bound`, async (t) => {
    const { upstream, source } = await openRemoteKit(t);
    upstream.otherwise(encoded(coding, bomb));
    const before = process.memoryUsage().arrayBuffers;
    const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
    t.equal(error.code, 'UPSTREAM_TOO_LARGE');
    t.ok(process.memoryUsage().arrayBuffers - before < bomb.length / 2);
  });

  t.test(`broken ${coding} is refused`, async (t) => {
    const { upstream, source } = await openRemoteKit(t);
    const { headers = {} } = encoded(coding, image.bytes);
    upstream.otherwise({ headers, body: 'this was never compressed by anybody' });
    const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
    t.equal(error.code, 'UPSTREAM_MISBEHAVED', error.message);
  });
}

for (const coding of ['compress', 'gzip, gzip', 'aes128gcm', '__proto__', 'toString']) {
  t.test(`the content encoding ${coding} is refused`, async (t) => {
    const { upstream, source } = await openRemoteKit(t);
    upstream.otherwise({ ...good, headers: { 'content-encoding': coding } });
    const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
    t.equal(error.code, 'UPSTREAM_MISBEHAVED');
    t.match(error.message, /content encoding/);
  });
}

t.test('the encoding identity is none', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.otherwise({ ...good, headers: { 'content-encoding': 'identity' } });
  t.equal((await source.fetchManifest(path, { tag }, signal))?.digest, digest);
});

const fourMebibytes = 4 * 1024 * 1024;

t.test('4 MiB are a manifest, one byte more is too large', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.on(`GET ${byTag}`, manifestAnswer(Buffer.alloc(fourMebibytes, 32)));
  t.equal((await source.fetchManifest(path, { tag }, signal))?.bytes.byteLength, fourMebibytes);
  for (const length of [undefined, 'unstated'] as const) {
    const large = manifestAnswer(Buffer.alloc(fourMebibytes + 1, 32));
    upstream.on(`GET ${byTag}`, length === undefined ? large : { ...large, length });
    const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
    t.equal(error.code, 'UPSTREAM_TOO_LARGE');
  }
});

t.test('a body without end is given up at the bound', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.on(`GET ${byTag}`, { endless: Buffer.alloc(65_536, 32) });
  const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
  t.equal(error.code, 'UPSTREAM_TOO_LARGE');
  t.equal(upstream.requests.length, 1);
});

t.test('a tag is resolved by HEAD alone where that states a digest', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.on(`HEAD ${byTag}`, good);
  t.equal(await source.resolveTag(path, tag, signal), digest);
  t.strictSame(
    upstream.requests.map(({ method }) => method),
    ['HEAD'],
  );
});

const headsWithoutDigest: Readonly<Record<string, Step>> = {
  'states no digest': { ...good, headers: {} },
  'states nonsense': { ...good, headers: { 'docker-content-digest': 'sha256:abc' } },
  'is not allowed': { status: 405 },
  'is not implemented': { status: 501 },
};
for (const [what, step] of Object.entries(headsWithoutDigest)) {
  t.test(`where HEAD ${what}, GET resolves the tag`, async (t) => {
    const { upstream, source } = await openRemoteKit(t);
    upstream.on(`HEAD ${byTag}`, step);
    upstream.on(`GET ${byTag}`, good);
    t.equal(await source.resolveTag(path, tag, signal), digest);
  });
}

t.test('a tag that is in neither is undefined', async (t) => {
  const { source, upstream } = await openRemoteKit(t);
  t.equal(await source.resolveTag(path, tag, signal), undefined);
  upstream.on(`HEAD ${byTag}`, { status: 405 });
  t.equal(await source.resolveTag(path, tag, signal), undefined);
});

for (const status of [401, 403]) {
  t.test(`${status} is no absence: our credentials are missing or refused`, async (t) => {
    const { upstream, source } = await openRemoteKit(t);
    upstream.otherwise({ status });
    const head = await failureOf(t, source.resolveTag(path, tag, signal));
    const get = await failureOf(t, source.fetchManifest(path, { digest }, signal));
    t.strictSame([head.code, get.code], ['UPSTREAM_UNAUTHORIZED', 'UPSTREAM_UNAUTHORIZED']);
  });
}

t.test('the Content-Type comes without its parameters, and only if it is one', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  const types: readonly (readonly [string | undefined, string | undefined])[] = [
    [`${mediaTypes.ociManifest}; charset=utf-8`, mediaTypes.ociManifest],
    [mediaTypes.ociManifest.toUpperCase(), mediaTypes.ociManifest],
    ['nonsense', undefined],
    [undefined, undefined],
  ];
  for (const [stated, expected] of types) {
    const headers = stated === undefined ? {} : { 'content-type': stated };
    upstream.on(`GET ${byTag}`, { ...good, headers });
    t.equal((await source.fetchManifest(path, { tag }, signal))?.contentType, expected);
  }
});

t.test('two Content-Types or digests that differ are refused', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  const body = Buffer.from(image.bytes).toString();
  const raw = (name: string, first: string, second: string): Step => ({
    raw: `HTTP/1.1 200 OK\r\n${name}: ${first}\r\n${name}: ${second}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  });
  upstream.on(`GET ${byTag}`, raw('Docker-Content-Digest', digest, other.descriptor.digest));
  const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
  t.equal(error.code, 'UPSTREAM_MISBEHAVED');
  t.match(error.message, /several docker-content-digest headers/);
});

t.test('an injected header line is text of nobody', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  const body = Buffer.from(image.bytes).toString();
  upstream.on(`GET ${byTag}`, {
    raw: `HTTP/1.1 200 OK\r\nDocker-Content-Digest: ${digest}\r\nX-Evil: y\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  });
  const manifest = await source.fetchManifest(path, { tag }, signal);
  t.strictSame(Object.keys(manifest ?? {}).toSorted(), ['bytes', 'contentType', 'digest']);
});

t.test('a blob that comes encoded is decoded as it streams, and states no size', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  const bytes = Buffer.alloc(300_000, 'layer');
  const blob = digestOf(bytes);
  upstream.on(`GET /v2/${path}/blobs/${blob}`, gzipped({ body: bytes }));
  upstream.on(`HEAD /v2/${path}/blobs/${blob}`, gzipped({ body: bytes }));
  const content = await source.openBlob(path, blob, signal);
  t.equal(content?.size, undefined);
  const chunks: Buffer[] = [];
  for await (const chunk of content?.stream ?? []) chunks.push(chunk as Buffer);
  t.ok(Buffer.concat(chunks).equals(bytes));
  t.strictSame(await source.statBlob(path, blob, signal), { size: undefined });
});

t.test('a blob whose HEAD is 404 or not allowed is there if GET has it', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  const bytes = Buffer.from('blob');
  const blob = digestOf(bytes);
  upstream.on(`GET /v2/${path}/blobs/${blob}`, { body: bytes });
  t.strictSame(await source.statBlob(path, blob, signal), { size: 4 });
  upstream.on(`HEAD /v2/${path}/blobs/${blob}`, { status: 405 });
  t.strictSame(await source.statBlob(path, blob, signal), { size: 4 });
});

t.test('a blob of a part, when nobody asked for a part, is refused', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.otherwise({ status: 206, body: 'bl', headers: { 'content-range': 'bytes 0-1/4' } });
  const error = await failureOf(t, source.openBlob(path, digestOf(Buffer.from('blob')), signal));
  t.equal(error.code, 'UPSTREAM_FAILED');
});

t.test('JSON that is no manifest comes as it is: others judge it', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.on(`GET ${byTag}`, jsonAnswer({ errors: [] }));
  const manifest = await source.fetchManifest(path, { tag }, signal);
  t.equal(manifest?.contentType, 'application/json');
});
