import t from 'tap';
import {
  laterMark,
  makeKeptMark,
  makeSharedMark,
  markWith,
  noMark,
  type PolicyMark,
  setBackTo,
  unrevised,
} from '../../../src/gate/policy-mark.ts';
import { makeSeal } from '../../../src/gate/sealed.ts';
import { makeMemoryKeyValue } from '../../../src/storage/memory-key-value.ts';
import { sealOfTests } from '../../support/deny-kit.ts';

const by = { owner: 'sre@acme.example', reason: 'INC-1', at: new Date('2030-01-01') };

t.test('a higher revision is the lowest that may follow it', async (t) => {
  const seven = markWith(noMark, 7);
  t.same(seven, { turn: 0, floor: 7, ceiling: 7 });
  t.equal(markWith(seven, 7), seven);
  t.equal(markWith(seven, 6), seven);
  t.equal(markWith(noMark, unrevised), noMark, 'a policy without one raises nothing');
  t.same(markWith(noMark, 0), { turn: 0, floor: 0, ceiling: 0 }, '0 is one');
});

t.test('after a set-back all that were in force may be, until there is a higher one', async (t) => {
  const back = setBackTo(markWith(noMark, 7), 5, by);
  t.same(back, { turn: 1, floor: 5, ceiling: 7, setBack: by });
  t.equal(markWith(back, 7), back, 'a replica that still has 7 does not undo it');
  t.same(markWith(back, 8), { turn: 1, floor: 8, ceiling: 8 });
});

t.test('of two marks the later one counts, whichever way they come', async (t) => {
  const marks: readonly PolicyMark[] = [
    noMark,
    markWith(noMark, 3),
    markWith(noMark, 7),
    setBackTo(markWith(noMark, 7), 4, by),
    setBackTo(markWith(noMark, 7), 5, by),
    markWith(setBackTo(markWith(noMark, 7), 5, by), 8),
    setBackTo(markWith(noMark, 8), unrevised, { ...by }),
  ];
  for (const one of marks) {
    t.equal(laterMark(one, one), one);
    for (const other of marks) {
      t.same(laterMark(one, other), laterMark(other, one));
      for (const third of marks) {
        const left = laterMark(laterMark(one, other), third);
        t.same(left, laterMark(one, laterMark(other, third)));
      }
    }
  }
  t.equal(laterMark(marks[2]!, marks[4]!), marks[4], 'a set-back after what it sets back');
  t.equal(laterMark(marks[3]!, marks[4]!), marks[4], 'of two at a time, the stricter one');
});

t.test('in the shared state it is read as it was written, under its own name alone', async (t) => {
  const store = makeMemoryKeyValue();
  const place = makeSharedMark(store, sealOfTests);
  t.same(await place.read(), { kind: 'absent' });
  const mark = setBackTo(markWith(noMark, 7), 5, by);
  await place.write(mark);
  t.same(await place.read(), { kind: 'whole', mark });
  const stranger = makeSharedMark(store, makeSeal([Buffer.alloc(32, 9)]));
  t.equal((await stranger.read()).kind, 'damaged');
  await store.put('policy-mark', sealOfTests.close('other', { version: 1, mark }));
  t.equal((await place.read()).kind, 'damaged', 'copied from another name');
  await store.put('policy-mark', sealOfTests.close('policy-mark', { version: 2, mark }));
  t.equal((await place.read()).kind, 'newer');
});

t.test('in a file that can not be read it is damaged, and not absent', async (t) => {
  let bytes: Uint8Array | undefined;
  const file = {
    path: 'data/policy-revision',
    read: async () => bytes,
    write: async (written: Uint8Array) => void (bytes = written),
  };
  const place = makeKeptMark(file, sealOfTests);
  t.same(await place.read(), { kind: 'absent' });
  await place.write(markWith(noMark, 7));
  t.same(await place.read(), { kind: 'whole', mark: markWith(noMark, 7) });
  bytes = bytes!.subarray(0, 60);
  t.equal((await place.read()).kind, 'damaged', 'cut short');
  const failing = { ...file, read: () => Promise.reject(new Error('the disk fails')) };
  const read = await makeKeptMark(failing, sealOfTests).read();
  t.same(read, { kind: 'damaged', because: 'the disk fails' });
});
