import fc from 'fast-check';
import t from 'tap';
import {
  type HeldToken,
  makeMissBucket,
  type MissBucket,
  type MissLimits,
} from '../../../src/gate/miss-bucket.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { never } from '../../support/gate-kit.ts';
import { holds } from '../../support/holds.ts';

const limits: MissLimits = { burst: 2, perMinute: 60, maxWaiting: 2, waitMs: 60_000 };

function bucketOf(overrides: Partial<MissLimits> = {}) {
  const clock = makeFakeClock();
  const bucket = makeMissBucket({ ...limits, ...overrides }, clock);
  return { clock, bucket };
}

/** The token, which must be there at once. */
function atOnce(bucket: MissBucket): HeldToken {
  const token = bucket.hold(never());
  if (token instanceof Promise) throw new Error('it has to wait');
  return token;
}

const refused = (seconds: number): Error =>
  ({ code: 'OVER_LIMIT', limit: 'client-misses', retryAfterSeconds: seconds }) as unknown as Error;

t.test('what is given back may be held again and again', async (t) => {
  const { bucket } = bucketOf();
  for (let round = 0; round < 10; round += 1) {
    const tokens = [atOnce(bucket), atOnce(bucket)];
    for (const token of tokens) token.giveBack();
  }
  t.doesNotThrow(() => atOnce(bucket));
});

t.test('what is spent comes back with time, one a second', async (t) => {
  const { bucket, clock } = bucketOf();
  atOnce(bucket).spend();
  atOnce(bucket).spend();
  t.throws(() => bucket.hold(never()), refused(1));
  clock.advanceMs(999);
  t.throws(() => bucket.hold(never()), refused(1));
  clock.advanceMs(1);
  atOnce(bucket).spend();
  t.throws(() => bucket.hold(never()), refused(1));
  clock.advanceMs(3_600_000);
  atOnce(bucket).spend();
  atOnce(bucket).spend();
  t.throws(() => bucket.hold(never()), refused(1), 'and no more than the burst');
});

t.test('a refusal says when the next token is there', async (t) => {
  const { bucket } = bucketOf({ perMinute: 2 });
  atOnce(bucket).spend();
  atOnce(bucket).spend();
  t.throws(() => bucket.hold(never()), refused(30));
});

t.test('who finds all held waits, and gets what comes back first', async (t) => {
  const { bucket } = bucketOf();
  const [first, second] = [atOnce(bucket), atOnce(bucket)];
  const order: string[] = [];
  const waiting = ['third', 'fourth'].map(async (name) => {
    const token = await bucket.hold(never());
    order.push(name);
    return token;
  });
  first.giveBack();
  const third = await waiting[0];
  t.same(order, ['third']);
  third?.giveBack();
  await waiting[1];
  t.same(order, ['third', 'fourth']);
  second.giveBack();
});

t.test('who waits is refused as soon as all is spent', async (t) => {
  const { bucket } = bucketOf();
  const [first, second] = [atOnce(bucket), atOnce(bucket)];
  const waiting = [bucket.hold(never()), bucket.hold(never())] as Promise<HeldToken>[];
  first.spend();
  second.spend();
  for (const each of waiting) await t.rejects(each, refused(1));
});

t.test('no more wait than may, and none longer than they may', async (t) => {
  const { bucket } = bucketOf({ waitMs: 5 });
  atOnce(bucket);
  atOnce(bucket);
  const waiting = [bucket.hold(never()), bucket.hold(never())] as Promise<HeldToken>[];
  t.throws(() => bucket.hold(never()), refused(1));
  for (const each of waiting) await t.rejects(each, refused(1));
});

t.test('who goes away while it waits takes nothing', async (t) => {
  const { bucket } = bucketOf();
  const [first] = [atOnce(bucket), atOnce(bucket)];
  const leaving = new AbortController();
  const left = bucket.hold(leaving.signal) as Promise<HeldToken>;
  leaving.abort(new Error('gone'));
  await t.rejects(left, { message: 'gone' });
  first.giveBack();
  t.doesNotThrow(() => atOnce(bucket));
  const gone = AbortSignal.abort(new Error('gone'));
  t.throws(() => bucket.hold(gone), { message: 'gone' });
});

t.test('a token counts once, as it was told first', async (t) => {
  const { bucket } = bucketOf();
  const token = atOnce(bucket);
  token.spend();
  token.giveBack();
  token.spend();
  atOnce(bucket).spend();
  t.throws(() => bucket.hold(never()), refused(1));
});

/** What clients do to a bucket: begin, end well or in vain, wait. */
const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('hold' as const) }),
    fc.record({ kind: fc.constantFrom('spend' as const, 'giveBack' as const), at: fc.nat(20) }),
    fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(5_000) }),
  ),
  { maxLength: 60 },
);
const shapes = fc.record({
  burst: fc.integer({ min: 1, max: 8 }),
  perMinute: fc.integer({ min: 1, max: 600 }),
});

t.test('whatever clients do', async (t) => {
  await holds(
    t,
    'no more is spent than the burst and what came with time, and nobody waits for nothing',
    fc.asyncProperty(shapes, steps, async ({ burst, perMinute }, done) => {
      const { bucket, clock } = bucketOf({ burst, perMinute, maxWaiting: 1000 });
      const held: HeldToken[] = [];
      const waiting = new Set<object>();
      let spent = 0;
      const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
      const take = (token: HeldToken): void => void held.push(token);
      const hold = (): void => {
        try {
          const token = bucket.hold(never());
          if (!(token instanceof Promise)) return take(token);
          waiting.add(token);
          token.then(take, () => undefined).finally(() => waiting.delete(token));
        } catch {
          // Refused: the bucket is empty.
        }
      };
      for (const step of done) {
        if (step.kind === 'hold') hold();
        else if (step.kind === 'advance') clock.advanceMs(step.ms);
        else {
          const [token] = held.splice(step.at % Math.max(1, held.length), 1);
          if (token !== undefined && step.kind === 'spend') spent += 1;
          token?.[step.kind]();
        }
        await settled();
        const earned = burst + (clock.monotonicMs() * perMinute) / 60_000;
        if (spent + held.length > earned + 1e-9) throw new Error('more than there was');
        if (held.length > burst) throw new Error('more at a time than the burst');
        if (waiting.size > 0 && held.length === 0) throw new Error('one waits for nobody');
      }
      for (const token of held.splice(0)) token.giveBack();
      // Whoever got one of these gives it back too, so that none stays for the timer.
      while (waiting.size > 0) {
        await settled();
        for (const token of held.splice(0)) token.giveBack();
      }
    }),
  );
});
