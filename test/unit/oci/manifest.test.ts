import t from 'tap';
import { MalformedError } from '../../../src/oci/malformed-error.ts';
import { artifactTypeOf, partsOf, readManifest } from '../../../src/oci/manifest.ts';
import { mediaTypes } from '../../../src/oci/media-types.ts';
import { buildImage, buildIndex, buildManifest } from '../../support/build-image.ts';

const image = buildImage();
const index = buildIndex({ attestation: 'with' });

const changed = (members: Record<string, unknown>): Uint8Array => {
  const document = JSON.parse(Buffer.from(image.bytes).toString()) as Record<string, unknown>;
  return Buffer.from(JSON.stringify({ ...document, ...members }));
};
const layer = image.blobs[1]?.descriptor;
const raw = (text: string): Uint8Array => Buffer.from(text);
const imageText = Buffer.from(image.bytes).toString();

t.test('an image manifest is read with every part that it names', (t) => {
  const manifest = readManifest(image.bytes, mediaTypes.ociManifest);
  t.equal(manifest.kind, 'image');
  t.same(
    partsOf(manifest).map(({ digest }) => digest),
    image.blobs.map(({ descriptor }) => descriptor.digest),
  );
  t.equal(artifactTypeOf(manifest), mediaTypes.ociConfig);
  t.end();
});

t.test('an index is read with every child', (t) => {
  const manifest = readManifest(index.bytes, mediaTypes.ociIndex);
  t.equal(manifest.kind, 'index');
  t.equal(partsOf(manifest).length, 3);
  t.equal(artifactTypeOf(manifest), undefined);
  t.end();
});

t.test('a docker manifest and list are read', (t) => {
  const docker = buildImage({ flavour: 'docker' });
  const list = buildIndex({ flavour: 'docker' });
  t.equal(
    readManifest(docker.bytes, mediaTypes.dockerManifest).mediaType,
    mediaTypes.dockerManifest,
  );
  t.equal(readManifest(list.bytes, mediaTypes.dockerList).mediaType, mediaTypes.dockerList);
  t.end();
});

t.test('without a mediaType of its own the shape decides', (t) => {
  const bare = buildImage({ members: { mediaType: undefined } });
  t.equal(readManifest(bare.bytes, mediaTypes.ociManifest).mediaType, mediaTypes.ociManifest);
  t.equal(readManifest(bare.bytes, undefined).mediaType, mediaTypes.ociManifest);
  t.end();
});

t.test('the subject is read and is no part', (t) => {
  const signature = buildManifest({ artifactType: 'application/x.y', subject: image.descriptor });
  const manifest = readManifest(signature.bytes, mediaTypes.ociManifest);
  t.equal(manifest.subject?.digest, image.descriptor.digest);
  t.notOk(partsOf(manifest).some(({ digest }) => digest === image.descriptor.digest));
  t.end();
});

const refused: readonly (readonly [string, Uint8Array, string | undefined, RegExp])[] = [
  ['manifests beside layers', changed({ manifests: [] }), undefined, /both manifests and layers/],
  ['a duplicate name', raw(imageText.replace('{', '{"layers":[],')), undefined, /stands twice/],
  ['a name in another case', changed({ Layers: [] }), undefined, /layers in another case/],
  ['a name that Go folds', changed({ manifeſtſ: [] }), undefined, /manifests in another case/],
  [
    'a descriptor name in another case',
    changed({ layers: [{ ...layer, Digest: layer?.digest }] }),
    undefined,
    /digest in another case/,
  ],
  [
    "Docker's Content-Type over bytes that state no type",
    changed({ mediaType: undefined }),
    mediaTypes.dockerManifest,
    /unlike Content-Type/,
  ],
  [
    'a Content-Type unlike mediaType',
    image.bytes,
    mediaTypes.dockerManifest,
    /unlike Content-Type/,
  ],
  [
    'the media type of an index',
    changed({ mediaType: mediaTypes.ociIndex }),
    undefined,
    /does not fit/,
  ],
  [
    'the media type of schema 1',
    changed({ mediaType: 'application/vnd.docker.distribution.manifest.v1+json' }),
    undefined,
    /not of a manifest/,
  ],
  ['an HTML page', raw('<!DOCTYPE html><html></html>'), 'text/html', /not a JSON document/],
  ['schemaVersion 1', changed({ schemaVersion: 1 }), undefined, /schemaVersion/],
  [
    'foreign urls',
    changed({ layers: [{ ...layer, urls: ['https://x/y'] }] }),
    undefined,
    /foreign urls/,
  ],
  [
    'a layer without a digest',
    changed({ layers: [{ ...layer, digest: undefined }] }),
    undefined,
    /layers\[0\] has no valid digest/,
  ],
  [
    'a digest with a path in it',
    changed({ layers: [{ ...layer, digest: 'sha256:../../etc/passwd' }] }),
    undefined,
    /no valid digest/,
  ],
  [
    'a digest in upper case',
    changed({ layers: [{ ...layer, digest: layer?.digest.toUpperCase() }] }),
    undefined,
    /no valid digest/,
  ],
  ['a negative size', changed({ layers: [{ ...layer, size: -1 }] }), undefined, /no valid size/],
  [
    'a size that is no integer',
    changed({ layers: [{ ...layer, size: 1.5 }] }),
    undefined,
    /no valid size/,
  ],
  [
    'a media type with a line break',
    changed({ layers: [{ ...layer, mediaType: 'a/b\r\nX: y' }] }),
    undefined,
    /no valid mediaType/,
  ],
  ['no config', changed({ config: undefined }), undefined, /config is not a descriptor/],
  ['layers that are no list', changed({ layers: {} }), undefined, /layers is not a list/],
  [
    'annotations that are no text',
    changed({ annotations: { a: 1 } }),
    undefined,
    /annotation that is no text/,
  ],
  ['a list', raw('[]'), undefined, /not a JSON object/],
  [
    '10,001 children',
    raw(JSON.stringify({ schemaVersion: 2, manifests: Array(10_001).fill(layer) })),
    undefined,
    /over 10000/,
  ],
  [
    'a million lists that hold nothing, within 4 MiB',
    raw(`{"schemaVersion":2,"manifests":[${'[],'.repeat(1_000_000)}[]]}`),
    undefined,
    /more than 50000 values/,
  ],
  ['more than 4 MiB', Buffer.alloc(4 * 1024 * 1024 + 1, ' '), undefined, /larger than/],
];

for (const [title, bytes, contentType, because] of refused) {
  t.test(`a manifest with ${title} is refused`, (t) => {
    t.throws(() => readManifest(bytes, contentType), because);
    t.throws(() => readManifest(bytes, contentType), MalformedError);
    t.end();
  });
}

t.test('large bytes are read once, small ones are not remembered', (t) => {
  const large = buildImage({ annotations: { padding: 'x'.repeat(64 * 1024) } });
  t.equal(readManifest(large.bytes, undefined), readManifest(large.bytes, mediaTypes.ociManifest));
  t.not(readManifest(image.bytes, undefined), readManifest(image.bytes, undefined));
  t.throws(() => readManifest(large.bytes, mediaTypes.dockerManifest), /unlike Content-Type/);
  t.end();
});
