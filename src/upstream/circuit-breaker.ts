import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import { type CircuitWindowLimits, makeCircuitWindow } from './circuit-window.ts';
import { NotAskedError, type UpstreamErrorCode } from './upstream-error.ts';

/** What a request said about its upstream; `left`: nothing. */
export type Finding = 'well' | 'left' | { readonly because: UpstreamErrorCode };

/** The three states of a circuit, and what leads from one to the other. */
export interface Breaker {
  /** Throws `NotAskedError` where nothing may pass. Returns what takes the finding, the first one. */
  pass(): (finding: Finding) => void;
  /** A finding about a request whose first one was told already. */
  note(finding: Finding): void;
}

export interface BreakerLimits extends CircuitWindowLimits {
  /** How long it is open. Each probe that fails doubles that, from the first to the most. */
  readonly firstOpenMs: number;
  readonly maxOpenMs: number;
}

/** What a circuit is for, as metrics and logs name it. */
export interface BreakerName {
  readonly upstream: string;
  readonly operation: string;
}

export interface BreakerDependencies {
  readonly clock: Clock;
  readonly metrics?: Metrics | undefined;
  readonly log?: Log | undefined;
}

type State =
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly untilMs: number; readonly openMs: number }
  | { readonly kind: 'half-open'; readonly openMs: number };

export function makeBreaker(
  name: BreakerName,
  limits: BreakerLimits,
  dependencies: BreakerDependencies,
): Breaker {
  const { clock } = dependencies;
  const window = makeCircuitWindow(clock, limits);
  const telling = makeTelling(name, dependencies);
  let state: State = { kind: 'closed' };
  let isProbing = false;
  /** Counts changes: what was asked before the last one says nothing any more. */
  let epoch = 0;
  let lastCode: UpstreamErrorCode = 'UPSTREAM_UNREACHABLE';

  const change = (next: State): void => {
    state = next;
    epoch += 1;
    isProbing = false;
    window.clear();
    telling.isNow(next.kind);
  };
  const open = (openMs: number, code: UpstreamErrorCode): void => {
    lastCode = code;
    change({ kind: 'open', untilMs: clock.monotonicMs() + openMs, openMs });
    telling.opened(openMs, code);
  };
  const settle = (finding: Finding): void => {
    if (finding === 'left') {
      // Somebody else may be the probe.
      isProbing = false;
    } else if (state.kind !== 'half-open') {
      const outcome = window.note(finding === 'well');
      if (outcome === 'too many failures' && finding !== 'well') {
        open(limits.firstOpenMs, finding.because);
      }
    } else if (finding === 'well') {
      change({ kind: 'closed' });
      telling.closed();
    } else {
      open(Math.min(state.openMs * 2, limits.maxOpenMs), finding.because);
    }
  };

  return {
    pass() {
      if (state.kind === 'open') {
        const waitMs = state.untilMs - clock.monotonicMs();
        if (waitMs > 0) throw telling.refused(waitMs, lastCode);
        change({ kind: 'half-open', openMs: state.openMs });
      }
      if (isProbing) throw telling.refused(1_000, lastCode);
      isProbing = state.kind === 'half-open';
      const entered = epoch;
      let isSettled = false;
      return (finding) => {
        if (!isSettled && entered === epoch) settle(finding);
        isSettled = true;
      };
    },
    note(finding) {
      if (state.kind === 'closed') settle(finding);
    },
  };
}

interface Telling {
  isNow(kind: State['kind']): void;
  opened(openMs: number, code: UpstreamErrorCode): void;
  closed(): void;
  refused(waitMs: number, code: UpstreamErrorCode): NotAskedError;
}

const gauge = { closed: 0, 'half-open': 1, open: 2 } as const;

/** What metrics, the log and whoever asks are told. */
function makeTelling(
  { upstream, operation }: BreakerName,
  { metrics, log }: BreakerDependencies,
): Telling {
  const isNow = (kind: State['kind']): void =>
    metrics?.set('assay_upstream_circuit', { upstream, operation }, gauge[kind]);
  isNow('closed');
  return {
    isNow,
    opened(openMs, code) {
      const fields = { upstream, operation, code, seconds: openMs / 1000 };
      log?.warn(fields, 'an upstream fails too often and is not asked for a while');
    },
    closed: () => log?.info({ upstream, operation }, 'an upstream is asked again'),
    refused(waitMs, code) {
      const because = 'circuit';
      metrics?.count('assay_upstream_unasked_total', { upstream, operation, because });
      const seconds = Math.max(1, Math.ceil(waitMs / 1000));
      const message = `is not asked for ${seconds} s, since it failed too often`;
      return new NotAskedError(because, code, message, seconds);
    },
  };
}
