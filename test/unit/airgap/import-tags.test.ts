import t from 'tap';
import { followTags } from '../../../src/airgap/import-tags.ts';
import { imageOf, manifestOf } from '../../support/airgap-kit.ts';

const now = new Date('2030-01-01T00:00:00Z');
const image = (tagVersion: number, root = 'root') =>
  imageOf({ tagVersion, root: manifestOf(root) });
const name = 'docker.io/library/app:1.0';
const before = { [name]: { version: 3, digest: manifestOf('root').digest } };
const { repository, tag } = image(1);
const record = { repository, tag: tag!, to: manifestOf('old').digest, owner: 'sre' };
const until = (time: string) => [{ ...record, until: new Date(time) }];

t.test('versions go up, and those that are gone are remembered', async (t) => {
  const kept = { ...before, 'docker.io/gone:1': { version: 9, digest: manifestOf('x').digest } };
  const next = followTags({ images: [image(4, 'new')], rollbacks: [] }, kept, now);
  t.strictSame(next, { ...kept, [name]: { version: 4, digest: manifestOf('new').digest } });
  t.strictSame(followTags({ images: [image(3)], rollbacks: [] }, before, now), before, 'the same');
  const untagged = imageOf({ tag: undefined, tagVersion: undefined });
  t.strictSame(followTags({ images: [untagged], rollbacks: [] }, before, now), before);
});

for (const { what, images, rollbacks } of [
  { what: 'a lower version', images: [image(2, 'old')], rollbacks: [] },
  { what: 'another digest under the same version', images: [image(3, 'old')], rollbacks: [] },
  {
    what: 'a record that has ended',
    images: [image(2, 'old')],
    rollbacks: until('2030-01-01T00:00:00Z'),
  },
  {
    what: 'a record for another digest',
    images: [image(2, 'older')],
    rollbacks: until('2030-02-01T00:00:00Z'),
  },
]) {
  t.test(`a tag does not go back: ${what}`, async (t) => {
    t.throws(() => followTags({ images, rollbacks }, before, now), { code: 'TAG_ROLLBACK' });
  });
}

t.test('with a signed record it does', async (t) => {
  const given = { images: [image(2, 'old')], rollbacks: until('2030-02-01T00:00:00Z') };
  t.match(followTags(given, before, now), { [name]: { version: 2 } });
});
