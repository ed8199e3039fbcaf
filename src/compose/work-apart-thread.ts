import { readlinkSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { basename } from 'node:path';
import { isMainThread } from 'node:worker_threads';

// What the threads of `openWorkerThreads` run.
export { readEnvelope } from '../formats/sigstore/read-apart.ts';
export { judgeStatement } from '../policies/judge-statement.ts';

/**
 * Pulls go first where both want one core. A third of their share is left to the thread (sched(7),
 * the nice value): with less it would not be done in its time beside pulls that keep a core busy.
 */
const niceness = 5;
const nicest = 19;

if (!isMainThread) yieldToPulls();

/** Linux has a nice value for each thread (setpriority(2), C library/kernel differences). */
function yieldToPulls(): void {
  try {
    const thread = Number(basename(readlinkSync('/proc/thread-self')));
    setPriority(thread, Math.min(nicest, getPriority(thread) + niceness));
  } catch {
    // Elsewhere, or without /proc, the thread works as those beside it.
  }
}
