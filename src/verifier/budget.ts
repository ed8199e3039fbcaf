import { withDeadline } from '../kernel/abort.ts';
import type { Clock } from '../kernel/clock.ts';

export interface BudgetLimits {
  /** Manifests, and envelopes beyond the first of each, that are read at most. */
  readonly maxCandidates: number;
  /** Bytes of manifests and envelopes that are read at most; one envelope more than any format's. */
  readonly maxBytes: number;
  /** The longest that all of it may take, in milliseconds. */
  readonly maxMs: number;
}

/** What one verification may spend on signatures, whoever made them; its platforms share it. */
export interface Budget {
  /** Aborts with the caller's own, and when the time is over. */
  readonly signal: AbortSignal;
  /** Whether the time is over, or no byte is left: then nothing more is read. */
  isOver(): boolean;
  /** What ran out, candidates too; undefined while there is something left of everything. */
  spent(): string | undefined;
  /** Takes one candidate; false: none is left. */
  takeCandidate(): boolean;
  /** Takes so many bytes; false: there are fewer left. */
  takeBytes(count: number): boolean;
  /** Notes bytes whose number was not known before they came. */
  noteBytes(count: number): void;
}

export function makeBudget(limits: BudgetLimits, clock: Clock, signal: AbortSignal): Budget {
  const { maxCandidates, maxBytes, maxMs } = limits;
  const began = clock.monotonicMs();
  let candidates = maxCandidates;
  let bytes = maxBytes;
  const over = (): string | undefined => {
    if (signal.aborted || clock.monotonicMs() - began >= maxMs) return 'the time is over';
    return bytes <= 0 ? `${maxBytes} bytes were read` : undefined;
  };
  return {
    signal: withDeadline(maxMs, signal),
    isOver: () => over() !== undefined,
    spent: () => over() ?? (candidates <= 0 ? `${maxCandidates} were examined` : undefined),
    takeCandidate() {
      if (candidates <= 0) return false;
      candidates -= 1;
      return true;
    },
    takeBytes(count) {
      if (count > bytes) return false;
      bytes -= count;
      return true;
    },
    noteBytes(count) {
      bytes -= count;
    },
  };
}
