import t from 'tap';
import { writeLayoutIndex } from '../../../src/airgap/layout-entries.ts';
import type { PlannedImage } from '../../../src/airgap/plan.ts';
import type { Tag } from '../../../src/oci/reference.ts';
import type { RepositoryPath } from '../../../src/oci/repository.ts';
import { manifestOf } from '../../support/airgap-kit.ts';

const evidence = {
  manifest: manifestOf('signature'),
  tag: undefined,
  path: undefined,
  subject: manifestOf('root').digest,
  artifactType: 'application/vnd.cncf.notary.signature',
  isReferrer: true,
};

function plannedOf(path: string, tag: string | undefined, root: string): PlannedImage {
  return {
    repository: { upstream: 'docker.io', path: path as RepositoryPath },
    tag: tag as Tag | undefined,
    root: manifestOf(root),
    children: [],
    evidence: [],
    contents: [],
  };
}

interface Entry {
  readonly digest: string;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

function entriesOf(...images: readonly PlannedImage[]): readonly Entry[] {
  const index = JSON.parse(writeLayoutIndex({ images }).toString()) as { manifests: Entry[] };
  return index.manifests;
}

const namesIn = (entries: readonly Entry[]): readonly (string | undefined)[] =>
  entries.map(({ annotations }) => annotations?.['org.opencontainers.image.ref.name']);

t.test(
  'a tag has its repository in its name, and stands alone where it is unmistakable',
  async (t) => {
    const entries = entriesOf(plannedOf('a', 'v1', 'a'), plannedOf('b', 'v2', 'b'));
    t.same(namesIn(entries), ['a:v1', 'v1', 'b:v2', 'v2']);
    t.match(entries[0]?.annotations, { 'io.containerd.image.name': 'docker.io/a:v1' });
    const same = entriesOf(plannedOf('a', 'v1', 'a'), plannedOf('b', 'v1', 'b'));
    t.same(namesIn(same), ['a:v1', 'b:v1']);
  },
);

t.test('an image without a tag is named by its digest', async (t) => {
  const [entry] = entriesOf(plannedOf('a', undefined, 'a'));
  const { digest } = manifestOf('a');
  t.strictSame(entry?.annotations, {
    'org.opencontainers.image.ref.name': `a@${digest}`,
    'io.containerd.image.name': `docker.io/a@${digest}`,
  });
});

t.test('evidence has no name but that of its tag, and what it is', async (t) => {
  const image = { ...plannedOf('a', 'v1', 'a'), evidence: [evidence] };
  const [, , signature] = entriesOf(image);
  t.match(signature, {
    digest: evidence.manifest.digest,
    artifactType: 'application/vnd.cncf.notary.signature',
    annotations: undefined,
  });
  const tag = `sha256-${'a'.repeat(64)}.sig` as Tag;
  const tagged = entriesOf({ ...image, evidence: [{ ...evidence, tag }] });
  t.same(namesIn(tagged), ['a:v1', 'v1', `a:${tag}`, tag]);
});

t.test('what is listed twice stands once', async (t) => {
  const one = { ...plannedOf('a', 'v1', 'a'), evidence: [evidence] };
  const other = { ...plannedOf('a', 'v2', 'a'), evidence: [evidence] };
  const digests = entriesOf(one, other).map(({ digest }) => digest);
  t.equal(digests.filter((digest) => digest === evidence.manifest.digest).length, 1);
});

t.test('images of two upstreams are two layouts', async (t) => {
  const foreign = plannedOf('b', 'v1', 'b');
  const repository = { ...foreign.repository, upstream: 'ghcr.io' };
  t.throws(() => entriesOf(plannedOf('a', 'v1', 'a'), { ...foreign, repository }), {
    code: 'EXPORT_REFUSED',
    message: /not of docker.io and ghcr.io/,
  });
});

t.test('more than a reader takes is refused', async (t) => {
  const many = Array.from({ length: 5001 }, (_, index) => plannedOf('a', `v${index}`, `${index}`));
  t.throws(() => entriesOf(...many), { code: 'EXPORT_REFUSED', message: /more manifests/ });
});
