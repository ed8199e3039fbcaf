import t from 'tap';
import { digestOf } from '../../../src/oci/digest.ts';
import { mediaTypes } from '../../../src/oci/media-types.ts';
import { readLayoutIndex } from '../../../src/upstream/layout-index.ts';
import type { LayoutFiles } from '../../../src/upstream/layout-files.ts';

const digest = digestOf(Buffer.from('one'));

const read = (...names: readonly (string | undefined)[]) => {
  const manifests = names.map((name) => ({
    mediaType: mediaTypes.ociManifest,
    digest,
    size: 3,
    ...(name !== undefined && { annotations: { 'org.opencontainers.image.ref.name': name } }),
  }));
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
  const files = { readIndex: async () => Buffer.from(JSON.stringify(index)) };
  return readLayoutIndex(files as unknown as LayoutFiles, undefined);
};

t.test('a name with a digest makes the repository exist, and no tag in it', async (t) => {
  const { repositories, listed } = await read(`acme/app@${digest}`);
  t.strictSame([...repositories], [['acme/app', new Map()]]);
  t.ok(listed.has(digest));
});

t.test('such a name takes no tag away that the repository has', async (t) => {
  for (const names of [
    ['acme/app:1.0', `acme/app@${digest}`],
    [`acme/app@${digest}`, 'acme/app:1.0'],
  ]) {
    const { repositories } = await read(...names);
    t.strictSame([...(repositories.get('acme/app' as never)?.keys() ?? [])], ['1.0']);
  }
});

for (const name of [
  'acme/app@sha256:12',
  `acme/app@${digest}@${digest}`,
  `@${digest}`,
  'a@b',
  undefined,
]) {
  t.test(`no repository comes of ${String(name)}`, async (t) => {
    t.equal((await read(name)).repositories.size, 0);
  });
}
