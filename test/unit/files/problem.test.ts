import t from 'tap';
import { describeProblems, keyPath } from '../../../src/files/problem.ts';

t.test('problems are told in the order of the text, one line each', async (t) => {
  const lines = describeProblems('assay.yaml', [
    { at: { line: 10, column: 1 }, path: 'b', message: 'is wrong' },
    { at: { line: 2, column: 9 }, path: 'a.y', message: 'is late' },
    { at: { line: 2, column: 3 }, path: '', message: 'is early' },
  ]);
  t.same(lines, [
    'assay.yaml:2:3: is early',
    'assay.yaml:2:9: a.y: is late',
    'assay.yaml:10:1: b: is wrong',
  ]);
});

t.test('a key that is no plain word stands in quotes, escaped and cut', async (t) => {
  t.equal(keyPath('', 'a'), 'a');
  t.equal(keyPath('a', 'b'), 'a.b');
  t.equal(keyPath('a', 'docker.io'), 'a["docker.io"]');
  t.equal(keyPath('', 'x\n'), '["x\\n"]');
  t.equal(keyPath('', 'x'.repeat(200)).length, 84);
});
