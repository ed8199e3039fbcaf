import fc from 'fast-check';
import t from 'tap';
import { makeRecent } from '../../../src/gate/recent.ts';

t.test('what was not used for longest goes first', async (t) => {
  const recent = makeRecent<number>(2);
  recent.set('a', 1);
  recent.set('b', 2);
  t.equal(recent.get('a'), 1);
  recent.set('c', 3);
  t.equal(recent.get('b'), undefined);
  t.equal(recent.get('a'), 1);
  t.equal(recent.get('c'), 3);
});

t.test('one that was used gets a second chance, not a third without use', async (t) => {
  const recent = makeRecent<number>(2);
  recent.set('a', 1);
  recent.get('a');
  recent.set('b', 2);
  recent.set('c', 3);
  recent.set('d', 4);
  recent.set('e', 5);
  t.equal(recent.get('a'), undefined);
  t.equal(recent.get('d'), 4);
});

t.test('a value heavier than the whole is not kept', async (t) => {
  const recent = makeRecent<number>(10, (weight) => weight);
  recent.set('small', 1);
  recent.set('huge', 11);
  t.equal(recent.get('huge'), undefined);
});

t.test('whatever is set, used and deleted, the weight stays within its bound', async (t) => {
  const action = fc.tuple(
    fc.constantFrom('set', 'get', 'delete'),
    fc.nat(8),
    fc.integer({ min: 1, max: 5 }),
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const recent = makeRecent<number>(10, (weight) => weight);
      const keys = Array.from({ length: 9 }, (_, key) => String(key));
      for (const [what, key, weight] of actions) {
        if (what === 'set') recent.set(String(key), weight);
        else if (what === 'get') recent.get(String(key));
        else recent.delete(String(key));
        const total = keys.reduce((sum, each) => sum + (recent.get(each) ?? 0), 0);
        if (total > 10) throw new Error(`${total} are kept`);
        if (what === 'set' && weight <= 10) {
          if (recent.get(String(key)) !== weight) throw new Error('what was just set is not there');
        }
      }
    }),
    { numRuns: 300 },
  );
  t.pass('300 runs');
});
