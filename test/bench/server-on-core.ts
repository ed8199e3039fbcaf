import { readFile } from 'node:fs/promises';
import { listening, type Owner, startProcess } from '../interop/support/process.ts';

/** A server that runs on the first core alone, until its owner ends. */
export interface ServerOnCore {
  readonly url: string;
  /** Resident memory now, in MiB. */
  memoryMiB(): Promise<number>;
}

export async function startOnCore(
  owner: Owner,
  command: string,
  words: readonly string[],
  port: number,
  env: Readonly<Record<string, string>> = {},
): Promise<ServerOnCore> {
  const onCore = ['-c', '0', command, ...words];
  const running = startProcess(owner, 'taskset', onCore, { env: { GOMAXPROCS: '1', ...env } });
  await listening(running, port);
  return {
    url: `http://127.0.0.1:${port}`,
    async memoryMiB() {
      const status = await readFile(`/proc/${running.child.pid}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
    },
  };
}
