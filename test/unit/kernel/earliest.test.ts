import t from 'tap';
import { earliest } from '../../../src/kernel/earliest.ts';

const [first, second, third] = ['2030-01-01', '2030-01-02', '2030-01-03'].map(
  (day) => new Date(day),
);

t.test('the earliest of the times is given, wherever it stands', async (t) => {
  t.equal(earliest(first, second, third), first);
  t.equal(earliest(third, first, second), first);
  t.equal(earliest(third, second, first), first);
  t.equal(earliest(second), second);
});

t.test('what is no time does not count', async (t) => {
  t.equal(earliest(undefined, third, undefined, second), second);
});

t.test('where there is no time there is no earliest', async (t) => {
  t.equal(earliest(), undefined);
  t.equal(earliest(undefined, undefined), undefined);
});
