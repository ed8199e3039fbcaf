import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import { makeCircuitWindow } from './circuit-window.ts';
import { classifyFailure } from './failure.ts';
import { NotAskedError, type UpstreamErrorCode } from './upstream-error.ts';

/** What an upstream is asked for; each fails for itself. */
export const operations = ['token', 'manifest', 'blob', 'referrers', 'tags'] as const;
export type Operation = (typeof operations)[number];

/**
 * Keeps from asking what has just failed again and again: whoever waits is told at once, and the
 * upstream may come round. Closed, everything passes. Once enough of the last requests failed, it
 * is open, and nothing passes. After that time one request passes as a probe, and decides.
 */
export interface Circuit {
  /** Before each request; throws `NotAskedError` while the circuit is open. */
  enter(): Trial;
  /** A failure that came after the headers, in a body. */
  noteBroken(error: unknown): void;
}

/** One request's way through a circuit: whatever is told first counts. */
export interface Trial {
  answered(status: number): void;
  /** The signal tells a client that left from an upstream that did not answer. */
  failed(error: unknown, signal: AbortSignal): void;
  /** It says nothing about the upstream. */
  left(): void;
}

export type Circuits = Readonly<Record<Operation, Circuit>>;

export interface CircuitLimits {
  /** Failures are counted over so long, */
  readonly windowMs: number;
  /** mean something from so many requests on, */
  readonly minRequests: number;
  /** and open the circuit when they are this share of them. */
  readonly failureShare: number;
  /** Each probe that fails doubles the time, from the first to the most. */
  readonly firstOpenMs: number;
  readonly maxOpenMs: number;
  /** A request that its asker's own deadline ended was a failure if it had taken so long. */
  readonly patienceMs: number;
}

export const defaultCircuitLimits: CircuitLimits = {
  windowMs: 30_000,
  minRequests: 10,
  failureShare: 0.5,
  firstOpenMs: 5_000,
  maxOpenMs: 60_000,
  patienceMs: 5_000,
};

export interface CircuitDependencies {
  readonly clock: Clock;
  readonly metrics?: Metrics | undefined;
  readonly log?: Log | undefined;
}

export function makeCircuits(
  upstream: string,
  dependencies: CircuitDependencies,
  limits: Partial<CircuitLimits> = {},
): Circuits {
  const all = { ...defaultCircuitLimits, ...limits };
  const make = (operation: Operation): Circuit =>
    makeCircuit(upstream, operation, dependencies, all);
  return Object.fromEntries(operations.map((each) => [each, make(each)])) as Record<
    Operation,
    Circuit
  >;
}

type State =
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly untilMs: number; readonly openMs: number }
  | { readonly kind: 'half-open'; readonly openMs: number };

const gauge = { closed: 0, 'half-open': 1, open: 2 } as const;

type Finding = 'well' | 'left' | { readonly because: UpstreamErrorCode };

function makeCircuit(
  upstream: string,
  operation: Operation,
  { clock, metrics, log }: CircuitDependencies,
  limits: CircuitLimits,
): Circuit {
  const { firstOpenMs, maxOpenMs, patienceMs } = limits;
  const window = makeCircuitWindow(clock, limits);
  let state: State = { kind: 'closed' };
  let isProbing = false;
  /** Counts changes: what was asked before the last one says nothing any more. */
  let epoch = 0;
  let lastCode: UpstreamErrorCode = 'UPSTREAM_UNREACHABLE';

  const change = (next: State): void => {
    state = next;
    epoch += 1;
    isProbing = false;
    metrics?.set('assay_upstream_circuit', { upstream, operation }, gauge[next.kind]);
  };
  const open = (openMs: number): void => {
    change({ kind: 'open', untilMs: clock.monotonicMs() + openMs, openMs });
    const fields = { upstream, operation, code: lastCode, seconds: openMs / 1000 };
    log?.warn(fields, 'an upstream fails too often and is not asked for a while');
  };
  const settle = (finding: Finding): void => {
    if (finding === 'left') {
      // Somebody else may be the probe.
      isProbing = false;
      return;
    }
    if (finding !== 'well') lastCode = finding.because;
    if (state.kind === 'half-open') {
      if (finding !== 'well') return open(Math.min(state.openMs * 2, maxOpenMs));
      window.clear();
      change({ kind: 'closed' });
      log?.info({ upstream, operation }, 'an upstream is asked again');
    } else if (window.note(finding === 'well') === 'too many failures') {
      window.clear();
      open(firstOpenMs);
    }
  };
  const refuse = (waitMs: number): NotAskedError => {
    const because = 'circuit';
    metrics?.count('assay_upstream_unasked_total', { upstream, operation, because });
    const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000));
    const message = `is not asked for ${retryAfterSeconds} s, since it failed too often`;
    return new NotAskedError(because, lastCode, message, retryAfterSeconds);
  };
  const pass = (): void => {
    if (state.kind === 'open') {
      const waitMs = state.untilMs - clock.monotonicMs();
      if (waitMs > 0) throw refuse(waitMs);
      change({ kind: 'half-open', openMs: state.openMs });
    }
    if (state.kind !== 'half-open') return;
    if (isProbing) throw refuse(1_000);
    isProbing = true;
  };

  metrics?.set('assay_upstream_circuit', { upstream, operation }, gauge.closed);
  return {
    enter() {
      pass();
      const entered = epoch;
      const startMs = clock.monotonicMs();
      let isSettled = false;
      const end = (finding: Finding): void => {
        if (!isSettled && entered === epoch) settle(finding);
        isSettled = true;
      };
      return {
        answered: (status) => end(judgeStatus(status)),
        failed(error, signal) {
          const hadTime = clock.monotonicMs() - startMs >= patienceMs;
          end(signal.aborted && !(hadTime && isTimeout(signal.reason)) ? 'left' : judge(error));
        },
        left: () => end('left'),
      };
    },
    noteBroken(error) {
      const finding = judge(error);
      // A connection that breaks is gone on with by Range; one that stands still only costs time.
      const isStill = typeof finding === 'object' && finding.because === 'UPSTREAM_TIMEOUT';
      if (isStill && state.kind === 'closed') settle(finding);
    },
  };
}

/** A refusal is an answer too; only the server's own faults speak of its health. */
function judgeStatus(status: number): Finding {
  return status >= 500 && status !== 501 ? { because: 'UPSTREAM_FAILED' } : 'well';
}

function judge(error: unknown): Finding {
  if (error instanceof NotAskedError) return 'left';
  const { code } = classifyFailure(error);
  const isSick = code === 'UPSTREAM_UNREACHABLE' || code === 'UPSTREAM_TIMEOUT';
  // Whatever else is wrong with an answer, there was one.
  return isSick ? { because: code } : 'well';
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError';
}
