import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { main } from '../../src/cli/main.ts';
import { makeTerminal } from '../../src/cli/terminal.ts';

const root = join(import.meta.dirname, '..', '..');

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** The folder to run in; the repository unless told. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `assay` from the sources. */
export function startAssay(words: readonly string[], options: RunOptions = {}): ChildProcess {
  const { cwd = root, env = {} } = options;
  return spawn(process.execPath, [join(root, 'src', 'main.ts'), ...words], {
    cwd,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Runs `assay` to its end. */
export async function runAssay(words: readonly string[], options: RunOptions = {}): Promise<Run> {
  const child = startAssay(words, options);
  const { promise: code, resolve, reject } = Promise.withResolvers<number | null>();
  child.once('error', reject);
  child.once('close', resolve);
  const [stdout, stderr] = await Promise.all([
    child.stdout === null ? '' : text(child.stdout),
    child.stderr === null ? '' : text(child.stderr),
  ]);
  return { code: await code, stdout, stderr };
}

/** The same without a process of its own, from this process's folder: for the many. */
export async function runInProcess(words: readonly string[]): Promise<Run> {
  const written = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({
    write: (chunk: string) => {
      written[name] += chunk;
    },
  });
  const code = await main(words, makeTerminal(stream('stdout'), stream('stderr'), {}));
  return { code, ...written };
}
