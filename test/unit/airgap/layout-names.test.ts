import t from 'tap';
import { nameLayout, type NamesWish, renderNamedIndex } from '../../../src/airgap/layout-names.ts';
import { type Index, readManifest } from '../../../src/oci/manifest.ts';
import { mediaTypes } from '../../../src/oci/media-types.ts';
import type { RepositoryPath } from '../../../src/oci/repository.ts';
import { manifestOf } from '../../support/airgap-kit.ts';

const refName = 'org.opencontainers.image.ref.name';
const imageName = 'io.containerd.image.name';
const wish: NamesWish = { upstream: 'ghcr.io', path: 'acme/app' as RepositoryPath };
const digest = manifestOf('one').digest;

function indexOf(...entries: readonly (readonly [string, Record<string, string>?])[]): Index {
  const manifests = entries.map(([text, annotations]) => ({
    ...manifestOf(text),
    ...(annotations && { annotations }),
  }));
  return { kind: 'index', mediaType: mediaTypes.ociIndex, manifests };
}

const named = (annotations: Record<string, string>, given?: NamesWish): string | undefined => {
  const [entry] = nameLayout(indexOf(['one', annotations]), given).images;
  return entry && `${entry.repository.upstream}/${entry.repository.path}:${entry.tag}`;
};

t.test('names that are whole stand for themselves', async (t) => {
  t.equal(named({ [refName]: 'ghcr.io/a/b:1' }), 'ghcr.io/a/b:1');
  t.equal(named({ [refName]: 'localhost:5000/a:1' }), 'localhost:5000/a:1');
  t.equal(named({ [refName]: 'docker.io/nginx:1' }), 'docker.io/library/nginx:1');
  t.equal(named({ [refName]: `ghcr.io/a/b@${digest}` }), 'ghcr.io/a/b:undefined');
  t.equal(
    named({ [refName]: '1', [imageName]: 'docker.io/library/nginx:1' }),
    'docker.io/library/nginx:1',
  );
});

t.test('an upstream without a dot is known by what stands before the own name', async (t) => {
  t.equal(named({ [refName]: 'a:1', [imageName]: 'demo/a:1' }), 'demo/a:1');
  t.equal(named({ [refName]: `a@${digest}`, [imageName]: `demo/a@${digest}` }), 'demo/a:undefined');
  t.equal(named({ [refName]: 'a:1', [imageName]: 'demo/a:1' }, wish), 'ghcr.io/a:1');
  for (const other of ['demo/b:1', 'team/demo/a:1', 'a:1', '/a:1']) {
    t.throws(() => named({ [refName]: 'a:1', [imageName]: other }), {
      code: 'REPOSITORY_UNCLEAR',
    });
  }
});

t.test('a plain tag beside the full name of the same image is no other image', async (t) => {
  const full = { [refName]: 'a/b:1' };
  const plain = { [refName]: '1' };
  const of = (...entries: readonly (readonly [string, Record<string, string>])[]) =>
    nameLayout(indexOf(...entries), wish).images.map(({ repository }) => repository.path);
  t.strictSame(of(['one', plain], ['one', full]), ['a/b']);
  t.strictSame(of(['two', plain], ['one', full]), ['acme/app', 'a/b'], 'but of another one it is');
});

t.test('others are of the repository that is wished', async (t) => {
  t.equal(named({ [refName]: '1' }, wish), 'ghcr.io/acme/app:1');
  t.equal(named({ [refName]: 'other/app:1' }, wish), 'ghcr.io/other/app:1');
  t.equal(named({ [refName]: 'quay.io/other/app:1' }, wish), 'quay.io/other/app:1');
});

t.test('a name of which nothing says where it belongs is refused', async (t) => {
  const upstreamAlone: NamesWish = { upstream: 'ghcr.io', path: undefined };
  for (const [name, given] of [
    ['1'],
    ['a/b:1'],
    ['1', upstreamAlone],
    ['ghcr.io/a/b'],
    ['ghcr.io/A/b:1'],
    ['gh_cr..io/a/b:1'],
    ['ghcr.io/a/b@sha256:short'],
  ] as const) {
    t.throws(() => nameLayout(indexOf(['one', { [refName]: name }]), given), {
      code: 'REPOSITORY_UNCLEAR',
      message: name.includes(':') ? /--repository UPSTREAM$/ : /--repository UPSTREAM\/PATH$/,
    });
  }
});

t.test('two images of one name are refused, one image twice is one', async (t) => {
  const name = { [refName]: 'ghcr.io/a/b:1' };
  t.throws(() => nameLayout(indexOf(['one', name], ['two', name]), undefined), {
    code: 'LAYOUT_NAMES',
    message: 'ghcr.io/a/b:1 is two images of the layout',
  });
  t.equal(nameLayout(indexOf(['one', name], ['one', name]), undefined).images.length, 1);
});

t.test('each upstream gets its images, and all that has no name of its own', async (t) => {
  const signatureTag = `${digest.replace(':', '-')}.sig`;
  const layout = nameLayout(
    indexOf(
      ['one', { [refName]: 'ghcr.io/a/b:1' }],
      ['two', { [refName]: 'quay.io/a/b:1' }],
      ['three', { [refName]: `a/b:${signatureTag}` }],
      ['four'],
    ),
    undefined,
  );
  t.equal(layout.unnamed.length, 1);
  const index = readManifest(renderNamedIndex('ghcr.io', layout, undefined), undefined) as Index;
  t.strictSame(
    index.manifests.map(({ annotations }) => annotations?.[refName]),
    ['a/b:1', signatureTag, undefined],
  );
  const wished = readManifest(renderNamedIndex('ghcr.io', layout, wish), undefined) as Index;
  const last = wished.manifests.at(-1);
  t.equal(last?.annotations?.[refName], `acme/app@${last?.digest}`, 'or is of what is wished');
});
