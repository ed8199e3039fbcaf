import t from 'tap';
import { readRole } from '../../../src/airgap/metadata-model.ts';
import { followRoots, lastOfRoots, wereRotated } from '../../../src/airgap/metadata-roots.ts';
import { putMetadata, rootsOf } from '../../support/metadata-kit.ts';

const chain = await rootsOf({}, { keys: { root: ['root-2'] } }, { keys: { root: ['root-2'] } });

t.test('the last of roots is the newest, if each leads to the next', async (t) => {
  t.equal(lastOfRoots(chain).version, 3);
  t.equal(lastOfRoots([chain[0]]).version, 1);
  const [first, second, third] = chain as unknown as readonly [Buffer, Buffer, Buffer];
  t.throws(() => lastOfRoots([first, third]), { code: 'METADATA_SIGNATURE' });
  t.throws(() => lastOfRoots([second, second]), { code: 'METADATA_ROLLBACK' });
  t.equal(lastOfRoots([second, third]).version, 3);
});

t.test('a root far ahead is the wrong one', async (t) => {
  const [first, far] = await rootsOf({}, { version: 5 });
  t.throws(() => lastOfRoots([first, far as Buffer]), { code: 'METADATA_MISMATCH' });
});

t.test('keys are rotated where one is taken back, on the way as well', async (t) => {
  const rotated = async (...keys: readonly (readonly string[])[]) => {
    const [first = [], ...rest] = keys;
    const wish = (timestamp: readonly string[]) => ({ keys: { timestamp } });
    const roots = await rootsOf(wish(first), ...rest.map(wish));
    const [one, ...more] = roots.map((bytes) => readRole('root', bytes));
    return one !== undefined && wereRotated([one, ...more], 'timestamp');
  };
  t.notOk(await rotated(['a']));
  t.notOk(await rotated(['a'], ['a']));
  t.notOk(await rotated(['a'], ['a', 'b']));
  t.ok(await rotated(['a'], ['b']));
  t.ok(await rotated(['a'], ['b'], ['c']));
  t.notOk(await rotated(['a', 'b'], ['a']), 'what a has signed counts as ever');
  t.notOk(await rotated(['a'], ['b'], ['a']));
});

t.test('roots are looked for in the folder up to the first gap', async (t) => {
  const folder = t.testdir();
  putMetadata(folder, '2.root.json', chain[1] as Buffer);
  putMetadata(folder, '4.root.json', chain[2] as Buffer);
  const followed = await followRoots(`${folder}/metadata`, chain[0]);
  t.strictSame(
    followed.map(({ version }) => version),
    [1, 2],
  );
});
