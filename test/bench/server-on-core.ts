import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A server that runs on the first core alone. */
export interface ServerOnCore extends AsyncDisposable {
  readonly url: string;
  /** Resident memory now, in MiB. */
  memoryMiB(): Promise<number>;
}

const startDeadlineMs = 20_000;

export async function startOnCore(
  command: string,
  args: readonly string[],
  port: number,
  env: Readonly<Record<string, string>> = {},
): Promise<ServerOnCore> {
  const child = spawn('taskset', ['-c', '0', command, ...args], {
    env: { ...process.env, GOMAXPROCS: '1', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(-2000);
  });
  await untilListening(port, child, () => said);
  return {
    url: `http://127.0.0.1:${port}`,
    async memoryMiB() {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      // Not SIGKILL: nginx's worker would outlive its master.
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new TypeError('no port');
  return address.port;
}

async function untilListening(
  port: number,
  child: ChildProcess,
  said: () => string,
): Promise<void> {
  const deadline = AbortSignal.timeout(startDeadlineMs);
  while (!(await isListening(port))) {
    if (child.exitCode !== null || deadline.aborted) {
      child.kill('SIGKILL');
      throw new Error(`${child.spawnargs.join(' ')} did not start: ${said()}`);
    }
    await delay(50);
  }
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
