import { join } from 'node:path';
import t from 'tap';
import { findCopies } from '../../../src/airgap/volume-places.ts';
import { systemFiles } from '../../../src/storage/file-system.ts';

t.test('every copy is found, below volumes and by itself, and no folder', async (t) => {
  const folder = t.testdir({
    one: { volumes: { 'a.vol': '1' } },
    two: { 'a.vol': '2', volumes: { 'a.vol': { x: 'folder' } } },
    three: 'file',
  });
  const places = ['one', 'two', 'three', 'none'].map((name) => join(folder, name));
  t.strictSame(await findCopies({ name: 'a.vol' }, places), [
    join(folder, 'one', 'volumes', 'a.vol'),
    join(folder, 'two', 'a.vol'),
  ]);
  t.strictSame(await findCopies({ name: 'b.vol' }, places), []);
});

t.test('a place that can not be looked at is no place without it', async (t) => {
  const denied = Object.assign(new Error('EACCES: no'), { code: 'EACCES' });
  const files = { ...systemFiles, stat: () => Promise.reject(denied) };
  await t.rejects(findCopies({ name: 'a.vol' }, ['x'], files), { code: 'READ_FAILED' });
});
