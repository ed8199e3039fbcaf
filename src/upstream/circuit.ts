import type { Clock } from '../kernel/clock.ts';
import {
  type Breaker,
  type BreakerDependencies,
  type BreakerLimits,
  type Finding,
  makeBreaker,
} from './circuit-breaker.ts';
import { classifyFailure } from './failure.ts';
import { NotAskedError } from './upstream-error.ts';

/** What an upstream is asked for; each fails for itself. */
export type Operation = 'token' | 'manifest' | 'blob' | 'referrers' | 'tags';

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

export interface CircuitLimits extends BreakerLimits {
  /** A request that its asker's own deadline ended was a failure if it had taken so long. */
  readonly patienceMs: number;
}

const defaultCircuitLimits: CircuitLimits = {
  windowMs: 30_000,
  minRequests: 10,
  failureShare: 0.5,
  firstOpenMs: 5_000,
  maxOpenMs: 60_000,
  patienceMs: 5_000,
};

export function makeCircuits(
  upstream: string,
  dependencies: BreakerDependencies,
  limits: Partial<CircuitLimits> = {},
): Circuits {
  const all = { ...defaultCircuitLimits, ...limits };
  const make = (operation: Operation): Circuit =>
    makeCircuit(makeBreaker({ upstream, operation }, all, dependencies), dependencies.clock, all);
  return {
    token: make('token'),
    manifest: make('manifest'),
    blob: make('blob'),
    referrers: make('referrers'),
    tags: make('tags'),
  };
}

function makeCircuit(breaker: Breaker, clock: Clock, { patienceMs }: CircuitLimits): Circuit {
  return {
    enter() {
      const settle = breaker.pass();
      const startMs = clock.monotonicMs();
      return {
        answered: (status) => settle(judgeStatus(status)),
        failed(error, signal) {
          const hadTime = clock.monotonicMs() - startMs >= patienceMs;
          settle(signal.aborted && !(hadTime && isTimeout(signal.reason)) ? 'left' : judge(error));
        },
        left: () => settle('left'),
      };
    },
    noteBroken(error) {
      const finding = judge(error);
      // A connection that breaks is gone on with by Range; one that stands still only costs time.
      const isStill = typeof finding === 'object' && finding.because === 'UPSTREAM_TIMEOUT';
      if (isStill) breaker.note(finding);
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
