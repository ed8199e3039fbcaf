import t from 'tap';
import { makeCircuitWindow } from '../../../src/upstream/circuit-window.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';

function make() {
  const clock = makeFakeClock();
  const limits = { windowMs: 30_000, minRequests: 4, failureShare: 0.5 };
  const window = makeCircuitWindow(clock, limits);
  const note = (ends: string): string[] => ends.split('').map((end) => window.note(end === '+'));
  return { clock, window, note };
}

t.test('failures are too many once there are enough requests, and half of them failed', (t) => {
  t.equal(make().note('---').includes('too many failures'), false, 'three say nothing');
  t.equal(make().note('----').at(-1), 'too many failures');
  t.equal(make().note('++--').at(-1), 'too many failures');
  t.equal(make().note('+++--').at(-1), 'few enough');
  t.end();
});

t.test('only a failure can be one too many', (t) => {
  t.equal(make().note('---+').at(-1), 'few enough');
  t.end();
});

t.test('what lies further back than the window does not count', (t) => {
  const { clock, note } = make();
  note('---');
  clock.advanceMs(30_000);
  t.strictSame(note('-'), ['few enough']);
  t.equal(note('---').at(-1), 'too many failures');
  t.end();
});

t.test('what lies within it counts, over all its parts', (t) => {
  const { clock, note } = make();
  for (let nth = 0; nth < 3; nth += 1) {
    t.strictSame(note('-'), ['few enough']);
    clock.advanceMs(7_000);
  }
  t.strictSame(note('-'), ['too many failures']);
  t.end();
});

t.test('cleared, it has seen nothing', (t) => {
  const { window, note } = make();
  note('---');
  window.clear();
  t.strictSame(note('-'), ['few enough']);
  t.end();
});
