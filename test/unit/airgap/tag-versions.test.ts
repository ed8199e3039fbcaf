import t from 'tap';
import { nextTags, rollbacksOf } from '../../../src/airgap/tag-versions.ts';
import type { Tag } from '../../../src/oci/reference.ts';
import { imageOf, manifestOf } from '../../support/airgap-kit.ts';

const { repository } = imageOf();
const name = 'docker.io/library/app:stable';
const pointing = (to: string) => [{ repository, tag: 'stable' as Tag, root: manifestOf(to) }];

t.test('a version grows with each move, and with nothing else', async (t) => {
  const first = nextTags(pointing('one'));
  t.match(first[name], { version: 1, digest: manifestOf('one').digest });
  t.same(nextTags(pointing('one'), first), first);
  const second = nextTags(pointing('two'), first);
  t.match(second[name], { version: 2, before: [manifestOf('one').digest] });
  t.match(nextTags(pointing('one'), second)[name], { version: 3 });
});

t.test('a tag that is left out once keeps its version', async (t) => {
  const second = nextTags(pointing('two'), nextTags(pointing('one')));
  const without = nextTags([], second);
  t.equal(nextTags(pointing('three'), without)[name]?.version, 3);
});

t.test('an image by digest has no version', async (t) => {
  t.same(nextTags([{ repository, tag: undefined, root: manifestOf('one') }]), {});
});

const until = new Date('2036-01-01T00:00:00Z');
const allowed = { to: manifestOf('one').digest, owner: 'ops@example.com', until };

t.test('a tag that went back has the word of the policy that permits it', async (t) => {
  const second = nextTags(pointing('two'), nextTags(pointing('one')));
  const back = nextTags(pointing('one'), second);
  t.same(
    rollbacksOf(pointing('one'), back, () => [allowed]),
    [{ repository, tag: 'stable', ...allowed }],
  );
  t.same(
    rollbacksOf(pointing('one'), back, () => []),
    [],
    'nobody permits it',
  );
  const other = { ...allowed, to: manifestOf('two').digest };
  t.same(
    rollbacksOf(pointing('one'), back, () => [other]),
    [],
    'another was meant',
  );
});

t.test('a tag that points where it never was has not gone back', async (t) => {
  t.same(
    rollbacksOf(pointing('one'), nextTags(pointing('one')), () => [allowed]),
    [],
  );
});
