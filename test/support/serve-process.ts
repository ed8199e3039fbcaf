import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';

/** `assay serve` in a process of its own, ended with the test. */
export interface ServeProcess {
  /** URLs. */
  readonly oci: string;
  readonly admin: string;
  readonly pid: number;
  readonly child: ChildProcess;
  /** The log so far, parsed. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  /** The log so far, and whatever else it printed. */
  output(): string;
  metrics(): Promise<string>;
  residentBytes(): number;
  openFiles(): number;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Resolves with its exit code when it is gone, however that comes about. */
  readonly exited: Promise<number | null>;
}

const root = join(import.meta.dirname, '..', '..');

/** Starts it and does not wait; it may be killed before it listens. */
export function spawnServe(t: Test, file: string): ChildProcess {
  const child = spawn(process.execPath, [join(root, 'src', 'main.ts'), 'serve', '--config', file], {
    cwd: root,
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = (): boolean => child.kill('SIGKILL');
  // A test that crashes tears nothing down.
  process.once('exit', kill);
  const exited = once(child, 'exit').then(() => process.off('exit', kill));
  t.teardown(async () => {
    kill();
    await exited;
  });
  return child;
}

/** Starts it; resolves once it listens. */
export async function startServe(t: Test, file: string): Promise<ServeProcess> {
  const child = spawnServe(t, file);
  const pid = child.pid!;
  const output: string[] = [];
  const lines: Record<string, unknown>[] = [];
  const listening = Promise.withResolvers<{ oci: string; admin: string }>();
  const exited = once(child, 'exit').then(([code]) => {
    listening.reject(new Error(`it ended before it listened:\n${output.join('\n')}`));
    return code as number | null;
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => output.push(text));
  createInterface({ input: child.stdout! }).on('line', (text) => {
    output.push(text);
    const line = JSON.parse(text) as { message: string; oci: string; admin: string };
    lines.push({ ...line });
    if (line.message === 'listening') listening.resolve(line);
  });
  const { oci, admin } = await listening.promise;
  return {
    oci,
    admin,
    pid,
    child,
    lines,
    exited,
    output: () => output.join('\n'),
    metrics: async () => (await fetch(`${admin}/metrics`)).text(),
    residentBytes: () => residentBytesOf(pid),
    openFiles: () => readdirSync(`/proc/${pid}/fd`).length,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function residentBytesOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}
