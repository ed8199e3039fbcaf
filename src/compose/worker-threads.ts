import { extname } from 'node:path';
import type { Piscina } from 'piscina';
import type { ReadApart, ReadingAnswer } from '../formats/sigstore/read-apart.ts';
import { withDeadline } from '../kernel/abort.ts';
import type { JudgeStatement } from '../policies/attestation.ts';
import { type JudgeApart, makeStatementJudge } from '../policies/statement-judge.ts';
import type { AttestationFound } from '../verdict/report.ts';
import { handOver } from './thread-bytes.ts';
import type * as Thread from './work-apart-thread.ts';

export interface WorkerLimits {
  readonly maxThreads: number;
  /** Tasks that wait for a thread; what is more is refused at once. */
  readonly maxQueue: number;
  /** Of all that is being worked on or waits for it. */
  readonly maxBytes: number;
  /** For one task, the waiting included. A thread that is still at work then is ended. */
  readonly deadlineMs: number;
  /** Of the heap of one thread. What needs more ends the thread, not the process. */
  readonly maxHeapMb: number;
  /** After this a thread without work ends. */
  readonly idleMs: number;
}

/** One thread at a time reads 30 MB in a second; it ends before the verification that waits. */
const workerLimits: WorkerLimits = {
  maxThreads: 1,
  maxQueue: 64,
  maxBytes: 128 * 1024 * 1024,
  deadlineMs: 8_000,
  maxHeapMb: 512,
  idleMs: 30_000,
};

/**
 * Threads in which large envelopes are read, and large statements and costly conditions judged; made
 * when first needed.
 */
export interface WorkerThreads {
  readonly judgeApart: JudgeApart;
  readonly readApart: ReadApart;
  close(): Promise<void>;
}

/** What a verification leaves to threads. */
export interface WorkApart {
  readonly judge: JudgeStatement;
  readonly readApart: ReadApart;
}

/** The threads end with `opened`. */
export function openWorkApart(opened: AsyncDisposableStack): WorkApart {
  const threads = openWorkerThreads(workerLimits);
  opened.defer(() => threads.close());
  return { judge: makeStatementJudge(threads.judgeApart), readApart: threads.readApart };
}

/** A function that takes one task, where in the task its bytes are, and whether it may take them. */
interface Work {
  readonly name: keyof typeof Thread;
  readonly bytes: string;
  readonly takes: boolean;
}

/** What is stated may be held against other rules at the same time. */
const judging: Work = { name: 'judgeStatement', bytes: 'payload', takes: false };

export function openWorkerThreads(limits: WorkerLimits): WorkerThreads {
  let pool: Promise<Piscina> | undefined;
  let isClosed = false;
  const open = (): Promise<Piscina> => {
    // A pool whose thread dies between tasks, or before its first, makes no other one.
    const opening = openPool(limits, () => {
      if (pool === opening) pool = undefined;
    });
    return opening;
  };
  const under = new Set<Weight>();
  const run = async (
    work: Work,
    task: object,
    bytes: Uint8Array,
    signal: AbortSignal,
  ): Promise<unknown> => {
    const { deadlineMs } = limits;
    const threads = await (pool ??= open());
    const bounded = withDeadline(deadlineMs, signal);
    const { handed, transferList } = await handOver(bytes, work.takes);
    const options = { signal: bounded, transferList, name: work.name };
    try {
      return await threads.run({ ...task, [work.bytes]: handed }, options);
    } catch (cause) {
      if (!bounded.aborted || signal.aborted) throw cause;
      throw new Error(`it took longer than ${deadlineMs} ms`, { cause });
    }
  };
  const runBounded = async (
    work: Work,
    task: object,
    bytes: Uint8Array,
    signal: AbortSignal,
  ): Promise<unknown> => {
    if (isClosed) throw new Error('the threads that work apart are closed');
    // The pool's own bound does not count what it could not hand out at once.
    if (!hasRoom(bytes, under, limits)) throw new Error('too much waits to be worked on');
    // Not the bytes themselves: those that a thread has taken weigh nothing here.
    const entry = { byteLength: bytes.byteLength };
    under.add(entry);
    try {
      return await run(work, task, bytes, signal);
    } finally {
      under.delete(entry);
    }
  };
  return {
    judgeApart: async (task, signal) =>
      (await runBounded(judging, task, task.payload, signal)) as AttestationFound,
    readApart: async (task, signal) => {
      const work = { name: 'readEnvelope', bytes: 'bytes', takes: task.mayTake } as const;
      return (await runBounded(work, task, task.bytes, signal)) as ReadingAnswer;
    },
    async close() {
      isClosed = true;
      await (await pool)?.destroy();
    },
  };
}

interface Weight {
  readonly byteLength: number;
}

function hasRoom(
  { byteLength }: Weight,
  under: ReadonlySet<Weight>,
  { maxThreads, maxQueue, maxBytes }: WorkerLimits,
): boolean {
  const bytes = [...under].reduce((sum, each) => sum + each.byteLength, byteLength);
  return under.size < maxThreads + maxQueue && bytes <= maxBytes;
}

/** `onLost` is told when it is of no more use; what waits in it is refused then. */
async function openPool(limits: WorkerLimits, onLost: () => void): Promise<Piscina> {
  const { Piscina: Pool } = await import('piscina');
  // The file is .ts in a checkout and .js in dist, as this one.
  const file = `./work-apart-thread${extname(import.meta.url)}`;
  const pool = new Pool({
    filename: new URL(file, import.meta.url).href,
    minThreads: 0,
    maxThreads: limits.maxThreads,
    idleTimeout: limits.idleMs,
    resourceLimits: { maxOldGenerationSizeMb: limits.maxHeapMb },
    // Without these a thread sleeps where no signal and no timer reaches it.
    atomics: 'disabled',
  });
  // Without a listener the process would end with the thread.
  pool.on('error', () => {
    onLost();
    void pool.destroy();
  });
  return pool;
}
