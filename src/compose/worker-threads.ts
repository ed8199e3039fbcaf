import { extname } from 'node:path';
import { setImmediate as othersTurn } from 'node:timers/promises';
import type { Piscina } from 'piscina';
import type { ReadApart, ReadingAnswer } from '../formats/sigstore/read-apart.ts';
import { withDeadline } from '../kernel/abort.ts';
import type { JudgeStatement } from '../policies/attestation.ts';
import { type JudgeApart, makeStatementJudge } from '../policies/statement-judge.ts';
import type { AttestationFound } from '../verdict/report.ts';

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

/** A function of a file that takes one task, and where in the task its bytes are. */
interface Work {
  readonly file: string;
  readonly name: string;
  readonly bytes: string;
}

const judging: Work = {
  file: '../policies/judge-statement',
  name: 'judgeStatement',
  bytes: 'payload',
};
const reading: Work = {
  file: '../formats/sigstore/read-apart',
  name: 'readEnvelope',
  bytes: 'bytes',
};

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
  const under = new Set<Uint8Array>();
  const run = async (
    work: Work,
    task: object,
    bytes: Uint8Array,
    signal: AbortSignal,
  ): Promise<unknown> => {
    const { deadlineMs } = limits;
    const threads = await (pool ??= open());
    const bounded = withDeadline(deadlineMs, signal);
    // A copy of its own, to be handed over: a view would take all that it is a view of with it.
    const copy = await copyInTurns(bytes);
    const transferList = [copy.buffer];
    const options = { signal: bounded, transferList, filename: urlOf(work.file), name: work.name };
    try {
      return await threads.run({ ...task, [work.bytes]: copy }, options);
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
    // The same bytes may be under twice.
    const entry = bytes.subarray();
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
    readApart: async (task, signal) =>
      (await runBounded(reading, task, task.bytes, signal)) as ReadingAnswer,
    async close() {
      isClosed = true;
      await (await pool)?.destroy();
    },
  };
}

const pieceBytes = 512 * 1024;

/** Others have their turns between the pieces. */
async function copyInTurns(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const copy = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    if (at > 0) await othersTurn();
    copy.set(bytes.subarray(at, at + pieceBytes), at);
  }
  return copy;
}

function hasRoom(
  { byteLength }: Uint8Array,
  under: ReadonlySet<Uint8Array>,
  { maxThreads, maxQueue, maxBytes }: WorkerLimits,
): boolean {
  const bytes = [...under].reduce((sum, each) => sum + each.byteLength, byteLength);
  return under.size < maxThreads + maxQueue && bytes <= maxBytes;
}

/** `onLost` is told when it is of no more use; what waits in it is refused then. */
async function openPool(limits: WorkerLimits, onLost: () => void): Promise<Piscina> {
  const { Piscina: Pool } = await import('piscina');
  const pool = new Pool({
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

/** The file is .ts in a checkout and .js in dist, as this one. */
function urlOf(file: string): string {
  const here = import.meta.url;
  return new URL(`${file}${extname(here)}`, here).href;
}
