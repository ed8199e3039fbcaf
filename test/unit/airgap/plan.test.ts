import t from 'tap';
import {
  digestOfPlan,
  makePlan,
  nameOf,
  type PlannedContent,
  type PlannedImage,
} from '../../../src/airgap/plan.ts';
import type { Tag } from '../../../src/oci/reference.ts';
import { imageOf, manifestOf } from '../../support/airgap-kit.ts';

const { repository } = imageOf();

function contentOf(text: string, kind: PlannedContent['kind']): PlannedContent {
  const { digest, size } = manifestOf(text);
  return { digest, size, kind, repository, from: 'gate' };
}

function plannedOf(changes: Partial<PlannedImage> = {}): PlannedImage {
  return {
    repository,
    tag: '1.0' as Tag,
    root: manifestOf('root'),
    children: [],
    evidence: [],
    contents: [contentOf('root', 'manifest'), contentOf('a layer', 'blob')],
    ...changes,
  };
}

const shared = { base: undefined, volumeBytes: 1_000_000 };

t.test('content that images share is planned once, and manifests come first', async (t) => {
  const other = plannedOf({
    tag: '2.0' as Tag,
    root: manifestOf('other root'),
    contents: [contentOf('other root', 'manifest'), contentOf('a layer', 'blob')],
  });
  const { contents } = makePlan([plannedOf(), other]);
  t.same(
    [...contents.keys()],
    [manifestOf('root').digest, manifestOf('other root').digest, manifestOf('a layer').digest],
  );
});

t.test('two sizes of one digest are refused', async (t) => {
  const wrong = { ...contentOf('a layer', 'blob'), size: 1 };
  const other = plannedOf({ tag: '2.0' as Tag, contents: [wrong] });
  t.throws(() => makePlan([plannedOf(), other]), { code: 'CONTENT_MISMATCH' });
});

t.test('an image that is listed twice has the platforms of both', async (t) => {
  const [one, other] = ['one', 'other'].map((name) => plannedOf({ children: [manifestOf(name)] }));
  const { images } = makePlan([one ?? plannedOf(), other ?? plannedOf()]);
  t.equal(images.length, 1);
  t.same(images[0]?.children, [manifestOf('one'), manifestOf('other')]);
});

t.test('a tag that moves while it is planned is refused', async (t) => {
  const moved = plannedOf({ root: manifestOf('another root') });
  t.throws(() => makePlan([plannedOf(), moved]), {
    code: 'CONTENT_MISMATCH',
    message: /docker.io\/library\/app:1.0 moved/,
  });
});

t.test('an image by digest is named by it', async (t) => {
  const { digest } = manifestOf('root');
  t.equal(nameOf(plannedOf({ tag: undefined })), `docker.io/library/app@${digest}`);
});

t.test('the same plan has the same digest, and any other has another', async (t) => {
  const digest = digestOfPlan(makePlan([plannedOf()]), shared);
  t.equal(digestOfPlan(makePlan([plannedOf()]), shared), digest);
  const evidence = {
    manifest: manifestOf('signature'),
    tag: undefined,
    path: undefined,
    subject: manifestOf('root').digest,
    artifactType: undefined,
    isReferrer: true,
  };
  const others = {
    'another tag': digestOfPlan(makePlan([plannedOf({ tag: '2.0' as Tag })]), shared),
    'another child': digestOfPlan(makePlan([plannedOf({ children: [manifestOf('x')] })]), shared),
    'more evidence': digestOfPlan(makePlan([plannedOf({ evidence: [evidence] })]), shared),
    'other content': digestOfPlan(makePlan([plannedOf({ contents: [] })]), shared),
    'another base': digestOfPlan(makePlan([plannedOf()]), { ...shared, base: 1 }),
    'other volumes': digestOfPlan(makePlan([plannedOf()]), { ...shared, volumeBytes: 2_000_000 }),
  };
  for (const [what, other] of Object.entries(others)) t.not(other, digest, what);
});
