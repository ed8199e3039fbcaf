import t from 'tap';
import { makeProgress } from '../../../src/cli/progress.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';

function makeKit(totalBytes: number) {
  const clock = makeFakeClock();
  const lines: string[] = [];
  const progress = makeProgress(totalBytes, { rewrite: (line) => void lines.push(line) }, clock);
  return { clock, lines, progress };
}

const mebibyte = 1024 ** 2;

t.test('it tells share, bytes, rate and time left', async (t) => {
  const { clock, lines, progress } = makeKit(100 * mebibyte);
  clock.advanceMs(2_000);
  progress.show(25 * mebibyte);
  t.strictSame(lines, ['[#####...............]  25 %  25 MiB of 100 MiB  13 MiB/s  6 s left']);
});

t.test('in its first second it knows no rate', async (t) => {
  const { clock, lines, progress } = makeKit(100 * mebibyte);
  clock.advanceMs(999);
  progress.show(25 * mebibyte);
  t.strictSame(lines, ['[#####...............]  25 %  25 MiB of 100 MiB']);
});

t.test('it changes ten times a second at most, and is taken away at the end', async (t) => {
  const { clock, lines, progress } = makeKit(10);
  progress.show(1);
  clock.advanceMs(99);
  progress.show(2);
  t.equal(lines.length, 1);
  clock.advanceMs(1);
  progress.show(3);
  t.equal(lines.length, 2);
  progress.end();
  t.equal(lines.at(-1), '');
});

t.test('more than was expected is all of it, and so is nothing of nothing', async (t) => {
  const more = makeKit(10);
  more.progress.show(30);
  t.strictSame(more.lines, ['[####################] 100 %  30 B of 30 B']);
  const nothing = makeKit(0);
  nothing.progress.show(0);
  t.strictSame(nothing.lines, ['[####################] 100 %  0 B of 0 B']);
});
