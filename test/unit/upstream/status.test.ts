import t from 'tap';
import { judgeStatus } from '../../../src/upstream/status.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';

const clock = makeFakeClock();
const judge = (status: number, method: 'GET' | 'HEAD' = 'GET', headers = {}) =>
  judgeStatus({ status, headers }, method, clock);

t.test('200 is an answer and 404 is none', async (t) => {
  t.equal(judge(200), undefined);
  t.equal(judge(404), undefined);
});

t.test('a HEAD need not be supported, a GET must', async (t) => {
  for (const status of [405, 501]) {
    t.equal(judge(status, 'HEAD'), undefined);
    t.equal(judge(status, 'GET')?.code, 'UPSTREAM_FAILED');
  }
});

const statuses: readonly (readonly [number, string, boolean])[] = [
  [401, 'UPSTREAM_UNAUTHORIZED', false],
  [403, 'UPSTREAM_UNAUTHORIZED', false],
  [408, 'UPSTREAM_FAILED', true],
  [429, 'UPSTREAM_RATE_LIMITED', true],
  [500, 'UPSTREAM_FAILED', true],
  [501, 'UPSTREAM_FAILED', false],
  [502, 'UPSTREAM_FAILED', true],
  [503, 'UPSTREAM_FAILED', true],
  [504, 'UPSTREAM_FAILED', true],
  [100, 'UPSTREAM_FAILED', false],
  [204, 'UPSTREAM_FAILED', false],
  [206, 'UPSTREAM_FAILED', false],
  [304, 'UPSTREAM_FAILED', false],
  [400, 'UPSTREAM_FAILED', false],
  [410, 'UPSTREAM_FAILED', false],
  [451, 'UPSTREAM_FAILED', false],
];
for (const [status, code, passing] of statuses) {
  t.test(`${status} is ${code}, ${passing ? 'and may pass' : 'and stays'}`, async (t) => {
    const error = judge(status);
    t.equal(error?.code, code);
    t.equal(error?.passing, passing);
    t.match(error?.message, `status ${status}`);
  });
}

t.test('Retry-After is kept', async (t) => {
  t.equal(judge(503, 'GET', { 'retry-after': '5' })?.retryAfterSeconds, 5);
  t.equal(judge(503)?.retryAfterSeconds, undefined);
});
