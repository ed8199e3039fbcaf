import t from 'tap';
import { findNewer } from '../../../src/gate/rollback.ts';
import type { TagEntry } from '../../../src/gate/tag-history.ts';
import type { Digest } from '../../../src/oci/digest.ts';

const second = (number: number): Date => new Date(Date.UTC(2030, 0, 1, 0, 0, number));

/** `a2-4`: digest a, signed between seconds 2 and 4; `a`: nobody says when. */
function entry(text: string, order: number): TagEntry {
  const [, name, from, to] = /^([a-z])(?:(\d)-(\d))?$/.exec(text) ?? [];
  const signed = { earliest: second(Number(from)), latest: second(Number(to)) };
  const digest = name as Digest;
  return { digest, order, firstSeen: second(0), ...(from !== undefined && { signed }) };
}

const cases = [
  ['nothing was seen before', '', 'a', undefined],
  ['the same again', 'a1-1 b2-2', 'b2-2', undefined],
  ['signed later', 'a1-1', 'b2-2', undefined],
  ['signed earlier, seen before', 'a1-1 b2-2', 'a1-1', 'b'],
  ['signed earlier, never seen', 'b2-2', 'a1-1', 'b'],
  ['signed earlier than one before the last', 'c3-3 b2-2', 'a1-1', 'b'],
  ['signed earlier than one, later than another', 'c1-1 b3-3', 'a2-2', 'b'],
  ['intervals that overlap', 'b2-4', 'a1-2', undefined],
  ['intervals that do not', 'b3-4', 'a1-2', 'b'],
  ['signed at the same time, seen before', 'a1-1 b1-1', 'a1-1', undefined],
  ['no times, never seen', 'a b', 'c', undefined],
  ['no times, back to the one before', 'a b', 'a', 'b'],
  ['no times, back by two', 'a b c', 'a', 'c'],
  ['a time that is known from before counts', 'a1-1 b2-2', 'a', 'b'],
  ['one of the two has no time, and it came first', 'a b2-2', 'a', 'b'],
  ['one of the two has no time, and it is new', 'b2-2', 'a', undefined],
  ['the older time of the same digest counts', 'a1-1 b2-2', 'a3-3', 'b'],
] as const;

for (const [title, history, now, newer] of cases) {
  t.test(`${title}: ${newer === undefined ? 'no rollback' : 'a rollback'}`, async (t) => {
    const entries = history === '' ? [] : history.split(' ').map((text, i) => entry(text, i + 1));
    t.equal(findNewer(entry(now, 99), entries)?.digest, newer);
  });
}

t.test('what two replicas saw at the same time is not older than each other', async (t) => {
  const history = [entry('a', 1), entry('b', 1)];
  t.equal(findNewer(entry('a', 99), history), undefined);
  t.equal(findNewer(entry('b', 99), history), undefined);
});

t.test('parts of one index are as old as each other, and as it', async (t) => {
  const of = (root: string, part: TagEntry): TagEntry => ({ ...part, root: root as Digest });
  const history = [entry('a', 1), of('a', entry('p', 1)), entry('b', 2)];
  for (const part of ['p', 'q']) {
    t.equal(findNewer(of('a', entry(part, 99)), history)?.digest, 'b', `${part} of a`);
    t.equal(findNewer(of('b', entry(part, 99)), history), undefined, `${part} of b, too`);
    t.equal(findNewer(of('c', entry(part, 99)), [entry('b', 2)]), undefined, `${part} of none`);
  }
  const timed = [entry('a3-3', 1), entry('b2-2', 2)];
  t.equal(findNewer(of('a', entry('p1-1', 99)), timed)?.digest, 'b', 'a is not held against it');
  t.equal(findNewer(of('b', entry('p4-4', 99)), timed)?.digest, 'a', 'the time of b counts');
});

t.test('a platform is no newer than the index that is trusted for it, nor older', async (t) => {
  const index = { ...entry('i2-2', 1), parts: ['p', 'q'] as unknown as Digest[] };
  const [first, second] = [entry('p2-2', 1), entry('q5-5', 1)];
  t.equal(findNewer({ ...second }, [index]), undefined);
  t.equal(findNewer({ ...index }, [first, second]), undefined, 'though q was signed later');
  t.equal(findNewer({ ...index }, [second, entry('r5-5', 2)])?.digest, 'r');
});
