import t from 'tap';
import type { StoreUsage } from '../../../src/storage/blob-store.ts';
import {
  isMet,
  needOf,
  reasonOf,
  reduce,
  usedBytes,
  usualMarks,
} from '../../../src/storage/quota.ts';

function usage(overrides: Partial<StoreUsage> = {}): StoreUsage {
  const none = { files: 0, bytes: 0 };
  return { blobs: none, partial: none, quarantined: none, free: undefined, ...overrides };
}

const quota = { ...usualMarks, maxBytes: 1000 };

t.test('up to the high mark nothing has to go, past it all down to the low one', async (t) => {
  const at = (bytes: number) => needOf(usage({ blobs: { files: 1, bytes } }), quota, 0);
  t.ok(isMet(at(950)));
  t.strictSame(at(951), { quotaBytes: 101, diskBytes: 0, files: 0 });
  t.equal(reasonOf(at(951)), 'quota');
});

t.test('partial content counts, and what is promised to it counts once', async (t) => {
  const given = usage({ blobs: { files: 1, bytes: 500 }, partial: { files: 1, bytes: 300 } });
  t.equal(usedBytes(given, 0), 800);
  t.equal(usedBytes(given, 100), 800);
  t.equal(usedBytes(given, 460), 960);
  t.equal(needOf(given, quota, 460).quotaBytes, 110);
});

t.test('without a quota the disk alone bounds the store', async (t) => {
  const given = usage({ blobs: { files: 1, bytes: 1e15 } });
  t.ok(isMet(needOf(given, usualMarks, 0)));
});

t.test('a disk with less than a twentieth free has a tenth of it freed', async (t) => {
  const at = (free: number) =>
    needOf(
      usage({ blobs: { files: 1, bytes: 1000 - free }, free: { bytes: free, files: Infinity } }),
      usualMarks,
      0,
    );
  t.ok(isMet(at(50)));
  t.strictSame(at(49), { quotaBytes: 0, diskBytes: 51, files: 0 });
  t.equal(reasonOf(at(49)), 'disk');
});

t.test('more is made free than the store leaves free anyway', async (t) => {
  const at = (free: number, reserve: number) =>
    needOf(
      usage({
        blobs: { files: 1000 - free, bytes: 1000 - free },
        free: { bytes: free, files: free },
        reserve: { bytes: reserve, files: reserve },
      }),
      usualMarks,
      0,
    );
  t.ok(isMet(at(200, 200)));
  t.strictSame(at(199, 200), { quotaBytes: 0, diskBytes: 51, files: 51 });
  t.ok(isMet(at(50, 30)), 'a smaller reserve changes nothing');
  t.strictSame(at(49, 30), { quotaBytes: 0, diskBytes: 51, files: 51 });
});

t.test('what is promised is as good as gone from the disk', async (t) => {
  const given = usage({
    blobs: { files: 1, bytes: 500 },
    partial: { files: 1, bytes: 100 },
    free: { bytes: 400, files: Infinity },
  });
  t.ok(isMet(needOf(given, usualMarks, 450)));
  t.equal(needOf(given, usualMarks, 480).diskBytes, 80);
  t.equal(needOf(given, usualMarks, 600).diskBytes, 200);
});

t.test('what could not make the room that is left to others stays', async (t) => {
  const at = (free: number) =>
    needOf(
      usage({
        blobs: { files: 1, bytes: 100 },
        free: { bytes: free, files: Infinity },
        reserve: { bytes: 500, files: 0 },
      }),
      usualMarks,
      0,
    );
  t.ok(isMet(at(399)));
  t.notOk(isMet(at(401)));
});

t.test('a file system with few files left has some freed', async (t) => {
  const blobs = { files: 96, bytes: 1 };
  const need = needOf(usage({ blobs, free: { bytes: 1e9, files: 4 } }), usualMarks, 0);
  t.strictSame(need, { quotaBytes: 0, diskBytes: 0, files: 6 });
  t.equal(reasonOf(need), 'inodes');
});

t.test('a file that leaves meets every need a little', async (t) => {
  const need = { quotaBytes: 100, diskBytes: 50, files: 1 };
  reduce(need, 60);
  t.strictSame(need, { quotaBytes: 40, diskBytes: -10, files: 0 });
  t.notOk(isMet(need));
  reduce(need, 40);
  t.ok(isMet(need));
});
