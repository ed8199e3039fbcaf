import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** Who ends what was started: a test, or a file of them. */
export interface Owner {
  readonly teardown: (end: () => Promise<void>) => void;
}

export interface ProcessOptions {
  readonly cwd?: string;
  /** Beside PATH; nothing else of ours goes to the process. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  /** Both streams, in the order in which they came. */
  readonly output: string;
}

export interface Running {
  readonly child: ChildProcess;
  /** Both streams so far. */
  readonly output: () => string;
  readonly ended: Promise<Ended>;
}

const commandTimeoutMs = 60_000;
const readyTimeoutMs = 20_000;
const betweenProbesMs = 20;
const killAfterMs = 10_000;

/** Runs a command to its end; one that hangs is killed, and its code is null then. */
export async function runCommand(
  command: string,
  words: readonly string[],
  options: ProcessOptions = {},
): Promise<Ended> {
  const { child, ended } = spawnProcess(command, words, options);
  const timer = setTimeout(() => child.kill('SIGKILL'), commandTimeoutMs);
  const result = await ended;
  clearTimeout(timer);
  return result;
}

/** The same for a command that a test needs and does not judge; its standard output. */
export async function mustRun(
  command: string,
  words: readonly string[],
  options: ProcessOptions = {},
): Promise<string> {
  const { code, stdout, output } = await runCommand(command, words, options);
  if (code === 0) return stdout;
  throw new Error(`${command} ${words.join(' ')} ended with ${code}:\n${output}`);
}

/** A process that runs until its owner ends. */
export function startProcess(
  owner: Owner,
  command: string,
  words: readonly string[],
  options: ProcessOptions = {},
): Running {
  const running = spawnProcess(command, words, options);
  // A test that crashes tears nothing down.
  const kill = (): boolean => running.child.kill('SIGKILL');
  process.once('exit', kill);
  owner.teardown(async () => {
    process.off('exit', kill);
    running.child.kill('SIGTERM');
    const timer = setTimeout(kill, killAfterMs);
    await running.ended;
    clearTimeout(timer);
  });
  return running;
}

function spawnProcess(
  command: string,
  words: readonly string[],
  { cwd, env = {} }: ProcessOptions,
): Running {
  const child = spawn(command, words, {
    cwd,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const out: string[] = [];
  const all: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out.push(text);
    all.push(text);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => all.push(text));
  const { promise: ended, resolve } = Promise.withResolvers<Ended>();
  child.once('error', (error) => all.push(error.message));
  child.once('close', (code) => resolve({ code, stdout: out.join(''), output: all.join('') }));
  return { child, ended, output: () => all.join('') };
}

/** A port that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}

/** Resolves when the process accepts connections at the port or the path of a socket. */
export async function listening(running: Running, at: number | string): Promise<void> {
  const deadline = AbortSignal.timeout(readyTimeoutMs);
  let hasEnded = false;
  void running.ended.then(() => (hasEnded = true));
  for (;;) {
    const accepted = await accepts(at);
    // Whoever accepts after the end is somebody else.
    if (hasEnded || deadline.aborted) {
      throw new Error(`it does not listen at ${at}:\n${running.output()}`);
    }
    if (accepted) return;
    await pause(betweenProbesMs);
  }
}

async function accepts(at: number | string): Promise<boolean> {
  const socket = typeof at === 'number' ? connect(at, '127.0.0.1') : connect(at);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.once('connect', () => resolve(true));
  socket.once('error', () => resolve(false));
  const answer = await promise;
  socket.destroy();
  return answer;
}

/** Resolves with what the function makes of the first whole line, on either stream, that says it. */
export async function firstLine<T>(
  running: Running,
  read: (line: string) => T | undefined,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const look = (): void => {
    for (const line of running.output().split('\n').slice(0, -1)) {
      const found = read(line);
      if (found !== undefined) return resolve(found);
    }
  };
  const fail = (): void => reject(new Error(`it never said so:\n${running.output()}`));
  running.child.stdout?.on('data', look);
  running.child.stderr?.on('data', look);
  void running.ended.then(fail);
  const timer = setTimeout(fail, readyTimeoutMs);
  look();
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    running.child.stdout?.off('data', look);
    running.child.stderr?.off('data', look);
  }
}
