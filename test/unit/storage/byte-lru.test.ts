import t from 'tap';
import { makeByteLru } from '../../../src/storage/byte-lru.ts';

const overhead = 512;

t.test('a value that was put is got, another key has none', async (t) => {
  const lru = makeByteLru<string>(10_000);
  lru.put('a', 'one', 3);
  t.equal(lru.get('a'), 'one');
  t.equal(lru.get('b'), undefined);
});

t.test('what was not used for longest goes first', async (t) => {
  const lru = makeByteLru<number>(3 * (100 + overhead));
  for (const [index, key] of ['a', 'b', 'c'].entries()) lru.put(key, index, 100);
  lru.get('a');
  lru.put('d', 3, 100);
  t.strictSame(
    ['a', 'b', 'c', 'd'].map((key) => lru.get(key)),
    [0, undefined, 2, 3],
  );
});

t.test('many small ones go for a large one', async (t) => {
  const lru = makeByteLru<number>(4 * (100 + overhead));
  for (const [index, key] of ['a', 'b', 'c', 'd'].entries()) lru.put(key, index, 100);
  lru.put('large', 9, 2 * 100 + overhead);
  t.strictSame(
    ['a', 'b', 'c', 'd', 'large'].map((key) => lru.get(key)),
    [undefined, undefined, 2, 3, 9],
  );
});

t.test('a value that is larger than the bound is not kept and drives nothing out', async (t) => {
  const lru = makeByteLru<number>(1000);
  lru.put('a', 1, 10);
  lru.put('huge', 2, 1000);
  t.equal(lru.get('huge'), undefined);
  t.equal(lru.get('a'), 1);
});

t.test('a value put again counts once', async (t) => {
  const lru = makeByteLru<number>(2 * (100 + overhead));
  lru.put('a', 1, 100);
  for (let round = 0; round < 5; round += 1) lru.put('b', round, 100);
  t.equal(lru.get('a'), 1);
  t.equal(lru.get('b'), 4);
});

t.test('what is deleted makes room', (t) => {
  const lru = makeByteLru<number>(2 * (100 + overhead));
  lru.put('a', 1, 100);
  lru.put('b', 2, 100);
  lru.delete('a');
  lru.delete('never there');
  lru.put('c', 3, 100);
  t.strictSame([lru.get('a'), lru.get('b'), lru.get('c')], [undefined, 2, 3]);
  t.end();
});
