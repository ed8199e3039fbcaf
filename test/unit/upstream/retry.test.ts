import t from 'tap';
import {
  makeRetryBudget,
  type RetryTerms,
  systemWait,
  withRetries,
} from '../../../src/upstream/retry.ts';
import { UpstreamError, type UpstreamErrorCode } from '../../../src/upstream/upstream-error.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';

const { signal } = new AbortController();

function termsWith(waits: number[], overrides: Partial<RetryTerms> = {}): RetryTerms {
  const clock = makeFakeClock();
  return {
    clock,
    budget: makeRetryBudget(),
    totalMs: 60_000,
    wait(ms) {
      waits.push(ms);
      clock.advanceMs(ms);
      return Promise.resolve();
    },
    ...overrides,
  };
}

/** Fails with the errors in turn, then succeeds. */
function attempts(...errors: readonly unknown[]): () => Promise<string> {
  const left = [...errors];
  return () => (left.length === 0 ? Promise.resolve('done') : Promise.reject(left.shift()));
}

function errorOf(code: UpstreamErrorCode, retryAfterSeconds?: number): UpstreamError {
  return new UpstreamError(code, code, {
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });
}

t.test('what may be mended is tried twice again, with growing pauses', async (t) => {
  const waits: number[] = [];
  const failed = errorOf('UPSTREAM_FAILED');
  t.equal(await withRetries(attempts(failed, failed), termsWith(waits), signal), 'done');
  t.strictSame(waits, [100, 400]);
  const thrice = withRetries(attempts(failed, failed, failed), termsWith(waits), signal);
  await t.rejects(thrice, failed);
});

t.test("a library's connection error is tried again", async (t) => {
  const waits: number[] = [];
  const reset = Object.assign(new Error('reset'), { code: 'ECONNRESET' });
  t.equal(await withRetries(attempts(reset), termsWith(waits), signal), 'done');
  t.strictSame(waits, [100]);
});

const final: readonly UpstreamErrorCode[] = [
  'UPSTREAM_TIMEOUT',
  'UPSTREAM_UNAUTHORIZED',
  'UPSTREAM_RATE_LIMITED',
  'UPSTREAM_MISBEHAVED',
  'UPSTREAM_TOO_LARGE',
  'UPSTREAM_LEADS_ASTRAY',
];
for (const code of final) {
  t.test(`${code} is not tried again`, async (t) => {
    const waits: number[] = [];
    const error = errorOf(code);
    await t.rejects(withRetries(attempts(error), termsWith(waits), signal), error);
    t.strictSame(waits, []);
  });
}

t.test('a stated pause is kept if it is short, and left to the caller if it is long', async (t) => {
  const waits: number[] = [];
  const short = errorOf('UPSTREAM_RATE_LIMITED', 2);
  t.equal(await withRetries(attempts(short), termsWith(waits), signal), 'done');
  t.strictSame(waits, [2000]);
  const long = errorOf('UPSTREAM_RATE_LIMITED', 6);
  await t.rejects(withRetries(attempts(long), termsWith(waits), signal), long);
  t.strictSame(waits, [2000]);
});

t.test('a pause that does not fit into the deadline is not begun', async (t) => {
  const waits: number[] = [];
  const error = errorOf('UPSTREAM_FAILED', 3);
  const terms = termsWith(waits, { totalMs: 3000 });
  await t.rejects(withRetries(attempts(error), terms, signal), error);
  t.strictSame(waits, []);
});

t.test('retries are paid from a tenth of the requests', async (t) => {
  const budget = makeRetryBudget();
  for (let saved = 0; saved < 10; saved += 1) t.ok(budget.withdraw());
  t.notOk(budget.withdraw(), 'the savings are spent');
  for (let made = 0; made < 9; made += 1) budget.deposit();
  t.notOk(budget.withdraw());
  for (let made = 0; made < 2; made += 1) budget.deposit();
  t.ok(budget.withdraw());
  t.notOk(budget.withdraw());
});

t.test('an upstream that is down for all is not asked thrice by all', async (t) => {
  const budget = makeRetryBudget();
  let asked = 0;
  for (let call = 0; call < 100; call += 1) {
    const attempt = () => {
      asked += 1;
      return Promise.reject(errorOf('UPSTREAM_UNREACHABLE'));
    };
    await t.rejects(withRetries(attempt, termsWith([], { budget }), signal));
  }
  t.ok(asked <= 100 + 10 + 10, `${asked} attempts for 100 calls`);
});

t.test('a call that was given up is not tried again', async (t) => {
  const waits: number[] = [];
  const client = new AbortController();
  const gone = new Error('gone');
  const attempt = () => {
    client.abort(gone);
    return Promise.reject(errorOf('UPSTREAM_FAILED'));
  };
  await t.rejects(withRetries(attempt, termsWith(waits), client.signal), gone);
  t.strictSame(waits, []);
});

t.test('the real wait ends with its signal', async (t) => {
  await t.rejects(systemWait(60_000, AbortSignal.abort()), { name: 'AbortError' });
  t.equal(await systemWait(1, signal), undefined);
});
