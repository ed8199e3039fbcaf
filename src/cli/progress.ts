import type { Clock } from '../kernel/clock.ts';
import { describeBytes, describeSeconds } from './quantities.ts';
import type { Terminal } from './terminal.ts';

/** How far long work has come, on one line for a person who watches. */
export interface Progress {
  /** With a total of its own where that was not known at the beginning. */
  show(doneBytes: number, totalBytes?: number): void;
  /** Takes the line away. */
  end(): void;
}

/** A person reads no faster. */
const pauseMs = 100;
/** Before that a rate says nothing. */
const settledMs = 1_000;
const barWidth = 20;

/** `totalBytes` may be off: content comes and goes while one looks at it. */
export function makeProgress(
  totalBytes: number,
  terminal: Pick<Terminal, 'rewrite'>,
  clock: Clock,
): Progress {
  const beganMs = clock.monotonicMs();
  let shownMs = -Infinity;
  return {
    show(doneBytes, total = totalBytes) {
      const nowMs = clock.monotonicMs();
      if (nowMs - shownMs < pauseMs) return;
      shownMs = nowMs;
      terminal.rewrite(renderLine(doneBytes, Math.max(total, doneBytes), nowMs - beganMs));
    },
    end: () => terminal.rewrite(''),
  };
}

function renderLine(doneBytes: number, totalBytes: number, tookMs: number): string {
  const share = totalBytes === 0 ? 1 : doneBytes / totalBytes;
  const filled = Math.floor(share * barWidth);
  const bar = `[${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}]`;
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  const amount = `${describeBytes(doneBytes)} of ${describeBytes(totalBytes)}`;
  if (tookMs < settledMs || doneBytes === 0) return `${bar} ${percent}  ${amount}`;
  const rate = (doneBytes / tookMs) * 1000;
  const left = describeSeconds((totalBytes - doneBytes) / rate);
  return `${bar} ${percent}  ${amount}  ${describeBytes(rate)}/s  ${left} left`;
}
