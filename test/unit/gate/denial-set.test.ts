import t from 'tap';
import {
  epochOf,
  isForgotten,
  isInForce,
  mergeDenials,
  missingFrom,
} from '../../../src/gate/denial-set.ts';
import type { Denial } from '../../../src/verdict/denial.ts';
import { denialOf } from '../../support/deny-kit.ts';

const at = new Date('2030-01-01T00:00:00Z');
const one = denialOf({ kind: 'repository', repository: 'reg/one' });
const two = denialOf({ kind: 'repository', repository: 'reg/two' });
const taken: Denial = { ...one, removed: { epoch: 2, at } };

t.test('two lists that have grown apart deny what either denies', (t) => {
  t.same([...mergeDenials([one], [two]).values()], [one, two]);
  t.end();
});

t.test('a removal takes its denial back, whichever list comes first', (t) => {
  t.same([...mergeDenials([one], [taken]).values()], [taken]);
  t.same([...mergeDenials([taken], [one]).values()], [taken]);
  t.end();
});

t.test('a removal takes back no other denial of the same thing, however old that one is', (t) => {
  const again = denialOf(one.target, { epoch: 0 });
  const merged = [...mergeDenials([taken], [again]).values()];
  t.same(
    merged.filter((each) => isInForce(each, at)),
    [again],
  );
  t.end();
});

t.test('the order of merging changes nothing', (t) => {
  const later: Denial = { ...one, removed: { epoch: 3, at } };
  const sets = [[one, two], [taken], [later]];
  const [first, second, third] = sets as [Denial[], Denial[], Denial[]];
  const forwards = mergeDenials(first, second, third);
  const backwards = mergeDenials(third, second, first);
  t.same(
    [...forwards.values()].toSorted((a, b) => a.id.localeCompare(b.id)),
    [...backwards.values()].toSorted((a, b) => a.id.localeCompare(b.id)),
  );
  t.end();
});

t.test('what a list lacks is what it has not, or has in an earlier state', (t) => {
  const full = mergeDenials([taken, two]);
  t.same(missingFrom(full, mergeDenials([one])), [taken, two]);
  t.same(missingFrom(mergeDenials([one]), full), []);
  t.end();
});

t.test('the epoch is the highest that a denial or a removal names', (t) => {
  t.equal(epochOf([]), 0);
  t.equal(epochOf([{ ...one, epoch: 4 }, taken]), 4);
  t.equal(epochOf([taken, two]), 2);
  t.end();
});

t.test('a denial is in force until its end, and not from then on', (t) => {
  const until = new Date('2030-01-02T00:00:00Z');
  t.equal(isInForce({ ...one, until }, new Date(until.getTime() - 1)), true);
  t.equal(isInForce({ ...one, until }, until), false);
  t.equal(isInForce(taken, at), false);
  t.end();
});

t.test('what ended is forgotten after ninety days; what denies still is never', (t) => {
  const late = new Date('2030-04-02T00:00:01Z');
  t.equal(isForgotten(taken, late), true);
  t.equal(isForgotten(taken, at), false);
  t.equal(isForgotten(one, late), false);
  t.end();
});
