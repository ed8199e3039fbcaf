import t from 'tap';
import { type Circuit, makeCircuits } from '../../../src/upstream/circuit.ts';
import { NotAskedError, UpstreamError } from '../../../src/upstream/upstream-error.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { makeKeptLog } from '../../support/silence.ts';

const never = new AbortController().signal;
const reset = Object.assign(new Error('reset'), { code: 'ECONNRESET' });
const timeout = Object.assign(new Error('late'), { code: 'UND_ERR_HEADERS_TIMEOUT' });

function make() {
  const clock = makeFakeClock();
  const log = makeKeptLog();
  const states: Record<string, number> = {};
  const unasked: string[] = [];
  const metrics = {
    count: (name: string, labels: Readonly<Record<string, string>>) =>
      void unasked.push([name, ...Object.values(labels)].join(' ')),
    time: () => undefined,
    set: (name: string, labels: Readonly<Record<string, string>>, value: number) => {
      states[`${name} ${labels['operation']}`] = value;
    },
  };
  const circuits = makeCircuits('lab', { clock, metrics, log });
  return {
    clock,
    log,
    circuits,
    blob: circuits.blob,
    unasked,
    stateOf: (operation = 'blob') => states[`assay_upstream_circuit ${operation}`],
  };
}

function answer(circuit: Circuit, status: number, times = 1): void {
  for (let nth = 0; nth < times; nth += 1) circuit.enter().answered(status);
}

function fail(circuit: Circuit, error: unknown, times = 1, signal = never): void {
  for (let nth = 0; nth < times; nth += 1) circuit.enter().failed(error, signal);
}

function refusalOf(circuit: Circuit): NotAskedError | undefined {
  try {
    circuit.enter().left();
    return undefined;
  } catch (error) {
    if (error instanceof NotAskedError) return error;
    throw error;
  }
}

t.test('ten answers with 5xx open the circuit, and nine do not', (t) => {
  const { blob, stateOf, log } = make();
  t.equal(stateOf(), 0);
  answer(blob, 503, 9);
  t.equal(refusalOf(blob), undefined);
  answer(blob, 500);
  t.match(refusalOf(blob), {
    code: 'UPSTREAM_FAILED',
    because: 'circuit',
    retryAfterSeconds: 5,
    message: 'is not asked for 5 s, since it failed too often',
  });
  t.equal(stateOf(), 2);
  t.strictSame(log.lines, [
    {
      level: 'warn',
      fields: { upstream: 'lab', operation: 'blob', code: 'UPSTREAM_FAILED', seconds: 5 },
      message: 'an upstream fails too often and is not asked for a while',
    },
  ]);
  t.end();
});

for (const [what, error, code] of [
  ['connections that break', reset, 'UPSTREAM_UNREACHABLE'],
  ['timeouts', timeout, 'UPSTREAM_TIMEOUT'],
] as const) {
  t.test(`${what} open the circuit, whose error is of their kind`, (t) => {
    const { blob } = make();
    fail(blob, error, 10);
    t.equal(refusalOf(blob)?.code, code);
    t.end();
  });
}

t.test('answers that only say no open nothing, however many', (t) => {
  const { blob } = make();
  for (const status of [401, 403, 404, 408, 416, 429, 501]) answer(blob, status, 20);
  t.equal(refusalOf(blob), undefined);
  t.end();
});

t.test('what is wrong with an answer says nothing about the health of who gave it', (t) => {
  const { blob } = make();
  fail(blob, new UpstreamError('UPSTREAM_MISBEHAVED', 'no JSON'), 20);
  fail(blob, new UpstreamError('UPSTREAM_LEADS_ASTRAY', 'to ourselves'), 20);
  fail(blob, new NotAskedError('queue', 'UPSTREAM_UNREACHABLE', 'many wait', 1), 20);
  t.equal(refusalOf(blob), undefined);
  t.end();
});

t.test('clients that leave are no failures, whatever the request then fails with', (t) => {
  const { blob, clock } = make();
  const left = AbortSignal.abort(new Error('the client has gone'));
  for (let nth = 0; nth < 20; nth += 1) {
    const trial = blob.enter();
    clock.advanceMs(6_000);
    trial.failed(reset, left);
  }
  t.equal(refusalOf(blob), undefined);
  t.end();
});

t.test('a deadline of the asker is a failure only of what had time to answer', (t) => {
  const late = new DOMException('late', 'TimeoutError');
  const over = AbortSignal.abort(late);
  const hurried = make();
  fail(hurried.blob, late, 20, over);
  t.equal(refusalOf(hurried.blob), undefined);
  const patient = make();
  const trials = Array.from({ length: 10 }, () => patient.blob.enter());
  patient.clock.advanceMs(5_000);
  for (const trial of trials) trial.failed(late, over);
  t.equal(refusalOf(patient.blob)?.code, 'UPSTREAM_TIMEOUT');
  t.end();
});

t.test('each operation fails for itself', (t) => {
  const { circuits, stateOf } = make();
  answer(circuits.referrers, 500, 10);
  const refused = Object.entries(circuits)
    .filter(([, circuit]) => refusalOf(circuit) !== undefined)
    .map(([operation]) => operation);
  t.strictSame(refused, ['referrers']);
  t.equal(stateOf('referrers'), 2);
  t.equal(stateOf('blob'), 0);
  t.end();
});

t.test('after its time one probe passes, and nobody beside it', (t) => {
  const { blob, clock, stateOf, unasked, log } = make();
  answer(blob, 500, 10);
  clock.advanceMs(4_999);
  t.equal(refusalOf(blob)?.retryAfterSeconds, 1);
  clock.advanceMs(1);
  const probe = blob.enter();
  t.equal(stateOf(), 1);
  t.equal(refusalOf(blob)?.retryAfterSeconds, 1);
  probe.answered(200);
  t.equal(stateOf(), 0);
  t.equal(refusalOf(blob), undefined);
  t.match(log.lines.at(-1), { level: 'info', message: 'an upstream is asked again' });
  t.strictSame(unasked, Array(2).fill('assay_upstream_unasked_total lab blob circuit'));
  t.end();
});

t.test('an answer that only says no is a probe that succeeded', (t) => {
  const { blob, clock, stateOf } = make();
  answer(blob, 500, 10);
  clock.advanceMs(5_000);
  answer(blob, 404);
  t.equal(stateOf(), 0);
  t.end();
});

t.test(
  'each probe that fails doubles the time, up to a minute; one that does not resets it',
  (t) => {
    const { blob, clock } = make();
    answer(blob, 500, 10);
    const waits: (number | undefined)[] = [];
    for (let nth = 0; nth < 6; nth += 1) {
      const seconds = refusalOf(blob)?.retryAfterSeconds;
      waits.push(seconds);
      clock.advanceMs((seconds ?? 0) * 1000);
      answer(blob, 500);
    }
    t.strictSame(waits, [5, 10, 20, 40, 60, 60]);
    clock.advanceMs(60_000);
    answer(blob, 200);
    answer(blob, 500, 9);
    t.equal(refusalOf(blob), undefined, 'what was before is forgotten');
    answer(blob, 500);
    t.equal(refusalOf(blob)?.retryAfterSeconds, 5);
    t.end();
  },
);

t.test('a probe whose client leaves leaves its place to the next', (t) => {
  const { blob, clock, stateOf } = make();
  answer(blob, 500, 10);
  clock.advanceMs(5_000);
  const probe = blob.enter();
  probe.failed(reset, AbortSignal.abort(new Error('gone')));
  t.equal(stateOf(), 1);
  answer(blob, 200);
  t.equal(stateOf(), 0);
  t.end();
});

t.test('what was asked before the circuit opened neither closes it nor opens it again', (t) => {
  const { blob, clock, stateOf } = make();
  const [early, late] = [blob.enter(), blob.enter()];
  answer(blob, 500, 10);
  early.answered(200);
  t.equal(stateOf(), 2);
  clock.advanceMs(5_000);
  const probe = blob.enter();
  late.answered(500);
  t.equal(stateOf(), 1);
  probe.answered(200);
  t.equal(stateOf(), 0);
  t.end();
});

t.test('a trial ends once: what is told first counts', (t) => {
  const { blob } = make();
  for (let nth = 0; nth < 20; nth += 1) {
    const trial = blob.enter();
    trial.left();
    trial.failed(reset, never);
  }
  t.equal(refusalOf(blob), undefined);
  t.end();
});

t.test('bodies that stand still are failures, and those that break are not', (t) => {
  const { blob, stateOf } = make();
  for (let nth = 0; nth < 20; nth += 1) blob.noteBroken(reset);
  t.equal(stateOf(), 0);
  for (let nth = 0; nth < 5; nth += 1) {
    answer(blob, 200);
    blob.noteBroken(Object.assign(new Error('still'), { code: 'UND_ERR_BODY_TIMEOUT' }));
  }
  t.equal(stateOf(), 2);
  blob.noteBroken(timeout);
  t.equal(stateOf(), 2, 'an open one is not opened again');
  t.end();
});
