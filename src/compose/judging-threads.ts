import { extname } from 'node:path';
import type { Piscina } from 'piscina';
import { withDeadline } from '../kernel/abort.ts';
import type { JudgeStatement } from '../policies/attestation.ts';
import type { StatementTask } from '../policies/judge-statement.ts';
import { type JudgeApart, makeStatementJudge } from '../policies/statement-judge.ts';
import type { AttestationFound } from '../verdict/report.ts';

export interface JudgingLimits {
  readonly maxThreads: number;
  /** Statements that wait for a thread; what is more is refused at once. */
  readonly maxQueue: number;
  /** Of all statements that are being judged or wait for it. */
  readonly maxBytes: number;
  /** For one statement, the waiting included. A thread that is still at work then is ended. */
  readonly deadlineMs: number;
  /** Of the heap of one thread. What needs more ends the thread, not the process. */
  readonly maxHeapMb: number;
  /** After this a thread without work ends. */
  readonly idleMs: number;
}

/** One thread at a time reads 30 MB in a second; it ends before the verification that waits. */
export const judgingLimits: JudgingLimits = {
  maxThreads: 1,
  maxQueue: 64,
  maxBytes: 128 * 1024 * 1024,
  deadlineMs: 8_000,
  maxHeapMb: 512,
  idleMs: 30_000,
};

/** Threads in which large statements, and costly conditions, are judged; made when first needed. */
export interface JudgingThreads {
  readonly judgeApart: JudgeApart;
  close(): Promise<void>;
}

/** What holds statements against conditions; its threads end with `opened`. */
export function openJudge(opened: AsyncDisposableStack): JudgeStatement {
  const threads = openJudgingThreads(judgingLimits);
  opened.defer(() => threads.close());
  return makeStatementJudge(threads.judgeApart);
}

export function openJudgingThreads(limits: JudgingLimits): JudgingThreads {
  let pool: Promise<Piscina> | undefined;
  let isClosed = false;
  const under = new Set<StatementTask>();
  const run: JudgeApart = async (task, signal) => {
    const { deadlineMs } = limits;
    const threads = await (pool ??= openPool(limits));
    const bounded = withDeadline(deadlineMs, signal);
    // A copy of its own, to be handed over: a view would take all that it is a view of with it.
    const payload = new Uint8Array(task.payload);
    const options = { signal: bounded, transferList: [payload.buffer], name: 'judgeStatement' };
    try {
      return (await threads.run({ ...task, payload }, options)) as AttestationFound;
    } catch (cause) {
      if (!bounded.aborted || signal.aborted) throw cause;
      throw new Error(`it took longer than ${deadlineMs} ms`, { cause });
    }
  };
  return {
    async judgeApart(task, signal) {
      if (isClosed) throw new Error('the threads that judge statements are closed');
      // The pool's own bound does not count what it could not hand out at once.
      if (!hasRoom(task, under, limits)) throw new Error('too many statements wait to be judged');
      under.add(task);
      try {
        return await run(task, signal);
      } finally {
        under.delete(task);
      }
    },
    async close() {
      isClosed = true;
      await (await pool)?.destroy();
    },
  };
}

function hasRoom(
  { payload }: StatementTask,
  under: ReadonlySet<StatementTask>,
  { maxThreads, maxQueue, maxBytes }: JudgingLimits,
): boolean {
  const bytes = [...under].reduce((sum, task) => sum + task.payload.byteLength, payload.byteLength);
  return under.size < maxThreads + maxQueue && bytes <= maxBytes;
}

async function openPool(limits: JudgingLimits): Promise<Piscina> {
  const { Piscina: Pool } = await import('piscina');
  // The file is .ts in a checkout and .js in dist, as this one.
  const here = import.meta.url;
  return new Pool({
    filename: new URL(`../policies/judge-statement${extname(here)}`, here).href,
    minThreads: 0,
    maxThreads: limits.maxThreads,
    idleTimeout: limits.idleMs,
    resourceLimits: { maxOldGenerationSizeMb: limits.maxHeapMb },
    // Without these a thread sleeps where no signal and no timer reaches it.
    atomics: 'disabled',
  });
}
