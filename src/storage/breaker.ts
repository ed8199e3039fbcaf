/**
 * Keeps requests from waiting for what does not answer: after a few failures in a row nobody is
 * let through until a probe in the background is answered.
 */
export interface Breaker<Trouble> {
  isOpen(): boolean;
  noteWell(): void;
  noteFailed(trouble: Trouble): void;
  /** Probes now, where it is open. */
  probe(): void;
  close(): void;
}

export interface BreakerLimits {
  /** So many failures in a row, with no answer between them, open it. */
  readonly maxFailures: number;
  readonly probeEveryMs: number;
}

/** After so many probes in vain. */
const probesToReset = 8;

interface BreakerDependencies<Trouble> {
  /** Rejects unless what is asked answers within its deadline. */
  readonly probe: () => Promise<unknown>;
  /** Begins anew with another connection: this one may never come round. */
  readonly reset: () => void;
  readonly onChange: (state: 'open' | 'closed', because?: Trouble) => void;
}

export function makeBreaker<Trouble>(
  { maxFailures, probeEveryMs }: BreakerLimits,
  { probe, reset, onChange }: BreakerDependencies<Trouble>,
): Breaker<Trouble> {
  let failures = 0;
  let failedProbes = 0;
  let isProbing = false;
  let timer: NodeJS.Timeout | undefined;

  const close = (): void => {
    clearInterval(timer);
    timer = undefined;
  };
  const noteWell = (): void => {
    failures = 0;
  };
  const probeOnce = async (): Promise<void> => {
    if (isProbing || timer === undefined) return;
    isProbing = true;
    const isWell = await probe().then(
      () => true,
      () => false,
    );
    isProbing = false;
    if (timer === undefined) return;
    if (!isWell) {
      failedProbes += 1;
      if (failedProbes % probesToReset === 0) reset();
      return;
    }
    close();
    noteWell();
    onChange('closed');
  };
  return {
    isOpen: () => timer !== undefined,
    noteWell,
    noteFailed(trouble) {
      failures += 1;
      if (failures < maxFailures || timer !== undefined) return;
      failedProbes = 0;
      timer = setInterval(() => void probeOnce(), probeEveryMs);
      timer.unref();
      onChange('open', trouble);
    },
    probe: () => void probeOnce(),
    close,
  };
}
