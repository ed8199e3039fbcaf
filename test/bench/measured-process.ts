import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';

/** What a process took from its start to its end. */
export interface Measured {
  readonly seconds: number;
  /** Of processor time, all threads. */
  readonly cpuSeconds: number;
  /** Anonymous memory at most, as it was looked at a hundred times a second. */
  readonly peakMiB: number;
}

const betweenLooksMs = 10;
/** sysconf(_SC_CLK_TCK), the same on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** Runs a command that must end well. */
export async function measureProcess(command: string, words: readonly string[]): Promise<Measured> {
  const began = performance.now();
  const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close').then(([code]) => ({ code, at: performance.now() }));
  const said = Promise.all([text(child.stdout), text(child.stderr)]);
  const place = `/proc/${child.pid}`;
  let peakMiB = 0;
  let cpuSeconds = 0;
  while (child.exitCode === null && child.signalCode === null) {
    peakMiB = Math.max(peakMiB, await anonymousMiB(place));
    cpuSeconds = Math.max(cpuSeconds, await processorSeconds(place));
    await Promise.race([pause(betweenLooksMs), ended]);
  }
  const { code, at } = await ended;
  if (code !== 0)
    throw new Error(`${words.join(' ')} ended with ${code}: ${(await said).join('')}`);
  return { seconds: (at - began) / 1000, cpuSeconds, peakMiB };
}

/** proc(5), /proc/PID/status; 0 once it has ended. */
async function anonymousMiB(place: string): Promise<number> {
  const status = await readFile(`${place}/status`, 'utf8').catch(() => '');
  return Number(/RssAnon:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

/** proc(5), /proc/PID/stat: fields 14 and 15. */
async function processorSeconds(place: string): Promise<number> {
  const stat = await readFile(`${place}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / ticksPerSecond;
}
