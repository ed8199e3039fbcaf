import { createHash } from 'node:crypto';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { buildBlob, buildImage, buildIndex, fillerBytes } from './build-image.ts';

/** A document that is signed as it is, by somebody who is trusted. */
export interface HostileManifest {
  readonly what: string;
  readonly bytes: Uint8Array;
  /** As the upstream states it, and the signature. */
  readonly contentType: string;
  /**
   * What every way of asking for it ends with: it is served, denied for a reason, or not even
   * fetched (`bad upstream`).
   */
  readonly ends: 'served' | 'malformed-manifest' | 'bad upstream';
}

const { ociManifest, ociIndex, dockerManifest, dockerList } = mediaTypes;

/** What a hostile manifest wants a client to run. */
export const payload = buildBlob(
  'application/vnd.oci.image.layer.v1.tar+gzip',
  fillerBytes('payload', 500),
);
/** An unsigned image with that layer, to be listed. */
export const carrier = buildImage({
  name: 'carrier',
  members: { layers: [payload.descriptor] },
});
const image = buildImage({ name: 'hostile' });
const [config, layer] = image.blobs.map(({ descriptor }) => descriptor);
/** Blobs that the documents list, beside the payload. */
export const listedBlobs = image.blobs;

type Members = Readonly<Record<string, unknown>>;

const base: Members = {
  schemaVersion: 2,
  mediaType: ociManifest,
  config,
  layers: [layer],
};
const baseIndex: Members = {
  schemaVersion: 2,
  mediaType: ociIndex,
  manifests: [carrier.descriptor],
};

interface Form {
  readonly contentType?: string;
  readonly ends?: HostileManifest['ends'];
}

/** A text of its own for each, so that no two documents are one. */
function document(
  what: string,
  text: string | Uint8Array,
  { contentType = ociManifest, ends = 'malformed-manifest' }: Form = {},
): HostileManifest {
  return { what, bytes: Buffer.from(text), contentType, ends };
}

function json(what: string, members: Members, form: Form = {}): HostileManifest {
  return document(what, JSON.stringify(members), form);
}

function withLayer(what: string, changes: Members, form: Form = {}): HostileManifest {
  return json(what, { ...base, layers: [{ ...payload.descriptor, ...changes }] }, form);
}

function withText(what: string, change: (text: string) => string, form?: Form): HostileManifest {
  return document(what, change(JSON.stringify(base)), form);
}

const evil = JSON.stringify([payload.descriptor]);
const asIndex = { contentType: ociIndex };
const served = { ends: 'served' } as const;

const ambiguous: readonly HostileManifest[] = [
  json('layers and manifests', { ...base, manifests: [carrier.descriptor] }),
  json('the same, as an index', { ...baseIndex, layers: [payload.descriptor] }, asIndex),
  json('manifests and config', { ...baseIndex, config }, asIndex),
  withText('layers twice', (text) => text.replace(/}$/, `,"layers":${evil}}`)),
  withText('layers twice, once escaped', (text) => text.replace(/}$/, `,"\\u006cayers":${evil}}`)),
  withText('mediaType twice', (text) => text.replace(/}$/, `,"mediaType":"${dockerManifest}"}`)),
  withText('a digest twice in a descriptor', (text) =>
    text.replace('"digest":', `"digest":"${payload.descriptor.digest}","digest":`),
  ),
  json('Layers beside layers', { ...base, Layers: [payload.descriptor] }),
  json('LAYERS alone', { ...base, layers: undefined, LAYERS: [payload.descriptor] }),
  json('layerſ, which Go folds', { ...base, layerſ: [payload.descriptor] }),
  json('Manifests beside layers', { ...base, Manifests: [carrier.descriptor] }),
  json('MediaType beside mediaType', { ...base, MediaType: ociIndex }),
  withLayer('Digest beside digest', { Digest: layer?.digest }),
  withLayer('URLs in another case', { Urls: ['https://evil.example/layer'] }),
];

const mistyped: readonly HostileManifest[] = [
  json('an index by its Content-Type', base, asIndex),
  json('an index by its mediaType', { ...base, mediaType: ociIndex }),
  json("Docker's by its mediaType alone", { ...base, mediaType: dockerManifest }),
  json("Docker's by its Content-Type alone", base, { contentType: dockerManifest }),
  json('an image by its mediaType', { ...baseIndex, mediaType: ociManifest }, asIndex),
  json('a mediaType that is a number', { ...base, mediaType: 2 }),
  json('a mediaType with a parameter', { ...base, mediaType: `${ociManifest}; a=b` }),
  json(
    'no mediaType and the type of plain text',
    { ...base, mediaType: undefined },
    { contentType: 'text/plain' },
  ),
  json(
    'an artifact manifest of 1.1.0-rc',
    { mediaType: 'application/vnd.oci.artifact.manifest.v1+json', blobs: [payload.descriptor] },
    { contentType: 'application/vnd.oci.artifact.manifest.v1+json' },
  ),
  json(
    'schema 1',
    { schemaVersion: 1, name: 'app', tag: 'v1', fsLayers: [{ blobSum: layer?.digest }] },
    { contentType: 'application/vnd.docker.distribution.manifest.v1+prettyjws' },
  ),
  json('schema 1 by its number alone', { ...base, schemaVersion: 1 }),
  json('a schemaVersion that is text', { ...base, schemaVersion: '2' }),
  json('no schemaVersion', { ...base, schemaVersion: undefined }),
];

const shapeless: readonly HostileManifest[] = [
  document('nothing', ''),
  document('null', 'null'),
  document('a list', `[${JSON.stringify(base)}]`),
  document('two documents', `${JSON.stringify(base)}${JSON.stringify(base)}`),
  document('a byte order mark', `\ufeff${JSON.stringify(base)}`),
  document('UTF-16', Buffer.from(JSON.stringify(base), 'utf16le')),
  document(
    'bytes that are no UTF-8',
    Buffer.concat([
      Buffer.from('{"a":"'),
      Buffer.of(0xff),
      Buffer.from(`",${JSON.stringify(base).slice(1)}`),
    ]),
  ),
  withText('a comment', (text) => text.replace('{', '{/* see */')),
  withText('a comma at the end', (text) => text.replace(/}$/, ',}')),
  withText('a number that is none', (text) => text.replace(/}$/, ',"x":NaN}')),
  withText('a depth of 10^5', (text) =>
    text.replace(/}$/, `,"x":${'['.repeat(1e5)}${']'.repeat(1e5)}}`),
  ),
  withText('a depth of 40', (text) =>
    text.replace(/}$/, `,"x":${'{"a":'.repeat(40)}1${'}'.repeat(40)}}`),
  ),
  json('no config', { ...base, config: undefined }),
  json('a config that is a list', { ...base, config: [config] }),
  json('no layers', { ...base, layers: undefined }),
  json('layers that are null', { ...base, layers: null }),
  json('layers that are an object', { ...base, layers: { 0: layer, length: 1 } }),
  json('manifests that are null', { ...baseIndex, manifests: null }, asIndex),
  json('10001 layers', { ...base, layers: Array.from({ length: 10_001 }, () => layer) }),
  document(
    'a manifest of 5 MiB',
    JSON.stringify({ ...base, annotations: { a: 'x'.repeat(5 * 1024 * 1024) } }),
    { ends: 'bad upstream' },
  ),
];

const misdescribed: readonly HostileManifest[] = [
  withLayer('a layer of foreign urls', { urls: ['https://evil.example/layer'] }),
  withLayer('a layer whose urls are text', { urls: 'https://evil.example/layer' }),
  json(
    'a child of foreign urls',
    { ...baseIndex, manifests: [{ ...carrier.descriptor, urls: ['http://evil.example/'] }] },
    asIndex,
  ),
  withLayer('no digest', { digest: undefined }),
  withLayer('a digest that is an object', { digest: {} }),
  withLayer('a digest by MD5', { digest: `md5:${'a'.repeat(32)}` }),
  withLayer('a digest that is cut', { digest: payload.descriptor.digest.slice(0, -1) }),
  withLayer('a digest in capitals', {
    digest: payload.descriptor.digest.toUpperCase().replace('SHA256', 'sha256'),
  }),
  withLayer('a digest with a path', { digest: `sha256:../../${'a'.repeat(58)}` }),
  withLayer('sha256 with the length of sha512', { digest: `sha256:${'a'.repeat(128)}` }),
  withLayer('a negative size', { size: -1 }),
  withLayer('a size with a fraction', { size: 1.5 }),
  withLayer('a size that is text', { size: '500' }),
  withLayer('a size past all integers', { size: 2 ** 53 }),
  withLayer('a media type with a header in it', { mediaType: 'a/b\r\nSet-Cookie: x' }),
  withLayer('a platform without an architecture', { platform: { os: 'linux' } }),
  withLayer('annotations that are no text', { annotations: { a: { b: 1 } } }),
  json('a subject that is no descriptor', { ...base, subject: 'sha256:x' }),
  withText('a subject that is __proto__', (text) =>
    text.replace(/}$/, ',"subject":{"__proto__":{"polluted":true}}}'),
  ),
];

const harmless: readonly HostileManifest[] = [
  withText(
    'members that would be prototypes',
    (text) =>
      text.replace(
        /}$/,
        ',"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},' +
          '"annotations":{"__proto__":"x","constructor":"y","toString":"z"}}',
      ),
    served,
  ),
  json(
    'annotations with line ends',
    { ...base, annotations: { 'a\r\nb': '\r\n\u0000💥' } },
    served,
  ),
  json(
    'an artifact with an empty config',
    {
      ...base,
      config: buildBlob(mediaTypes.ociEmpty, '{}').descriptor,
      artifactType: 'application/x',
    },
    served,
  ),
  withLayer('data of other bytes in a descriptor', { data: 'ZXZpbA==' }, served),
  json(
    'the type of a signature and the config of an image',
    { ...base, artifactType: 'application/vnd.cncf.notary.signature' },
    served,
  ),
  json(
    'an index of an index',
    { ...baseIndex, manifests: [buildIndex({ children: [carrier] }).descriptor] },
    { ...asIndex, ...served },
  ),
  json(
    'an index of 10000 children that are not there',
    { ...baseIndex, manifests: Array.from({ length: 10_000 }, (_, at) => absentChild(at)) },
    { ...asIndex, ...served },
  ),
  json(
    "Docker's list",
    { ...baseIndex, mediaType: dockerList },
    { contentType: dockerList, ...served },
  ),
];

function absentChild(at: number): Members {
  const hash = createHash('sha256').update(`absent ${at}`).digest('hex');
  return { mediaType: ociManifest, digest: `sha256:${hash}`, size: 100 };
}

export const hostileManifests: readonly HostileManifest[] = [
  ...ambiguous,
  ...mistyped,
  ...shapeless,
  ...misdescribed,
  ...harmless,
];
