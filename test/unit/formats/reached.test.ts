import t from 'tap';
import { reached } from '../../../src/formats/reached.ts';

t.test('what a check found is there for the next, and nothing else passes for it', async (t) => {
  t.equal(reached(0), 0);
  t.throws(() => reached(undefined), new TypeError('a check ran before the one that it rests on'));
});
