import { readdir, readFile } from 'node:fs/promises';
import { listening, type Owner, startProcess } from '../interop/support/process.ts';

/** A server that runs on the first core alone unless told, until its owner ends. */
export interface ServerOnCore {
  readonly url: string;
  /** Resident memory now, in MiB. */
  memoryMiB(): Promise<number>;
  /** Of processor time so far, with that of its child processes. */
  cpuSeconds(): Promise<number>;
}

/** sysconf(_SC_CLK_TCK), the same on every Linux that Node runs on. */
const ticksPerSecond = 100;

export async function startOnCore(
  owner: Owner,
  command: string,
  words: readonly string[],
  port: number,
  env: Readonly<Record<string, string>> = {},
  cores = '0',
): Promise<ServerOnCore> {
  const onCore = ['-c', cores, command, ...words];
  const running = startProcess(owner, 'taskset', onCore, { env: { GOMAXPROCS: '1', ...env } });
  await listening(running, port);
  return {
    url: `http://127.0.0.1:${port}`,
    async memoryMiB() {
      const status = await readFile(`/proc/${running.child.pid}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
    },
    async cpuSeconds() {
      let ticks = 0;
      for (const name of (await readdir('/proc')).filter((each) => /^\d+$/.test(each))) {
        const { pid, parent, ...times } = await readTimes(name);
        if (pid === running.child.pid || parent === running.child.pid) ticks += times.ticks;
      }
      return ticks / ticksPerSecond;
    },
  };
}

/** proc(5), /proc/PID/stat: fields 4, 14 and 15. */
async function readTimes(name: string) {
  const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  return { pid: Number(name), parent: Number(fields[1]), ticks };
}
