import t from 'tap';
import { oncePer } from '../../../src/kernel/once.ts';

t.test('work is done once for each subject', async (t) => {
  let runs = 0;
  const double = oncePer(({ value }: { readonly value: number }) => {
    runs += 1;
    return value * 2;
  });
  const [one, another] = [{ value: 1 }, { value: 1 }];
  t.same([double(one), double(one), double(another)], [2, 2, 2]);
  t.equal(runs, 2);
});

t.test('what it threw is thrown again, and the work is not done again', async (t) => {
  let runs = 0;
  const fail = oncePer(() => {
    runs += 1;
    throw new TypeError('no');
  });
  const subject = {};
  t.throws(() => fail(subject), new TypeError('no'));
  t.throws(() => fail(subject), new TypeError('no'));
  t.equal(runs, 1);
});

t.test('a subject for which there is nothing is not asked about again', async (t) => {
  let runs = 0;
  const nothing = oncePer(() => {
    runs += 1;
  });
  const subject = {};
  nothing(subject);
  nothing(subject);
  t.equal(runs, 1);
});
