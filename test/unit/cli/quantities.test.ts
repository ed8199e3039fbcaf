import t from 'tap';
import { describeBytes, describeCount, describeSeconds } from '../../../src/cli/quantities.ts';

t.test('bytes are told in the unit that fits them', async (t) => {
  for (const [bytes, text] of [
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [10 * 1024, '10 KiB'],
    [1024 ** 2, '1.0 MiB'],
    [50 * 1024 ** 3, '50 GiB'],
    [2 * 1024 ** 4, '2.0 TiB'],
    [3000 * 1024 ** 5, '3000 PiB'],
  ] as const) {
    t.equal(describeBytes(bytes), text);
  }
});

t.test('a span is told by its two greatest parts', async (t) => {
  for (const [seconds, text] of [
    [-1, '0 s'],
    [0.2, '0 s'],
    [59.4, '59 s'],
    [60, '1 min'],
    [125, '2 min 5 s'],
    [3600, '1 h'],
    [4325, '1 h 12 min'],
    [3 * 86_400 + 4 * 3600 + 59, '3 d 4 h'],
  ] as const) {
    t.equal(describeSeconds(seconds), text);
  }
});

t.test('one thing has no s', async (t) => {
  t.equal(describeCount(1, 'file'), '1 file');
  t.equal(describeCount(0, 'file'), '0 files');
  t.equal(describeCount(2, 'entry', 'entries'), '2 entries');
});
