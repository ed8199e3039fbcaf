import cluster, { type Worker } from 'node:cluster';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemCodeOf, toError } from '../kernel/tagged-error.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

/** A worker's process as the primary has it. */
export interface WorkerProcess {
  readonly pid: number | undefined;
  /** What it can't be told any more is lost: its end is told by `onExit`. */
  send(message: ToWorker): void;
  /** At once (SIGKILL). */
  kill(): void;
}

export interface WorkerListener {
  readonly onMessage: (message: FromWorker) => void;
  readonly onExit: (code: number | null, signal: string | null) => void;
}

export type ForkWorker = (listener: WorkerListener) => WorkerProcess;

/** Starts the file worker-main.ts in a process of its own, which shares its socket with the others. */
export const forkWorker: ForkWorker = ({ onMessage, onExit }) => {
  const here = import.meta.url;
  // Workers take connections from one queue of the kernel's, each when it has time. Were they handed
  // out by this process, one on its way to a worker that is killed would be nobody's: neither
  // answered nor closed.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({
    // .ts in a checkout and .js in dist, as this one.
    exec: fileURLToPath(new URL(`./worker-main${extname(here)}`, here)),
    args: [],
    // Numbers as they are, such as those that are none.
    serialization: 'advanced',
  });
  const worker = forkOrFail();
  if (worker instanceof Error) {
    setImmediate(onExit, null, whyOf(worker));
    return { pid: undefined, send: () => undefined, kill: () => undefined };
  }
  const { process: child } = worker;
  worker.on('message', (message: FromWorker) => onMessage(message));
  worker.on('error', (error) => {
    // One that was never there, for want of processes or memory, has no exit. Otherwise it is of a
    // channel that has just ended; its process follows.
    if (child.pid === undefined) onExit(null, whyOf(error));
  });
  child.once('exit', onExit);
  return {
    pid: child.pid,
    send: (message) => void (worker.isConnected() && child.send(message, () => undefined)),
    kill: () => void child.kill('SIGKILL'),
  };
};

function forkOrFail(): Worker | Error {
  try {
    return cluster.fork();
  } catch (error) {
    return toError(error);
  }
}

function whyOf(error: unknown): string {
  return systemCodeOf(error) || 'fork';
}
