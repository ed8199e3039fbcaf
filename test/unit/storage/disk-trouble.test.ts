import t from 'tap';
import type { StoreHealth } from '../../../src/storage/blob-store.ts';
import { makeDiskTrouble } from '../../../src/storage/disk-trouble.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: no`), { code });
}

t.test('a disk that failed is left alone for a while, and both ends are told once', async (t) => {
  const clock = makeFakeClock();
  const told: StoreHealth[] = [];
  const trouble = makeDiskTrouble(clock, 1000, (health) => told.push(health));
  const bad = { state: 'read-only', because: 'ENOSPC: no' } as const;
  t.same(trouble.health(), { state: 'writable' });
  t.same(told, []);
  trouble.note(failure('ENOSPC'));
  t.same(told, [bad], 'told at once');
  clock.advanceMs(600);
  trouble.note(failure('ENOSPC'));
  clock.advanceMs(999);
  t.same(trouble.health(), bad, 'counted from the last failure');
  clock.advanceMs(1);
  t.same(trouble.health(), { state: 'writable' });
  trouble.health();
  t.same(told, [bad, { state: 'writable' }]);
});

t.test('what it says is the latest of its failures', async (t) => {
  const trouble = makeDiskTrouble(makeFakeClock(), 1000);
  trouble.note(failure('ENOSPC'));
  trouble.note(failure('EIO'));
  t.same(trouble.health(), { state: 'read-only', because: 'EIO: no' });
});

t.test('failures of one file alone are none of the disk', async (t) => {
  const trouble = makeDiskTrouble(makeFakeClock(), 1000);
  for (const code of ['ENOENT', 'EACCES', 'EEXIST', 'EMFILE']) trouble.note(failure(code));
  trouble.note('not even an error');
  t.same(trouble.health(), { state: 'writable' });
});
