import { type ChildProcess, spawn } from 'node:child_process';
import { abortable, withDeadline } from '../kernel/abort.ts';
import { readBounded } from '../kernel/bounded.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import { PluginError } from './plugin-error.ts';
import { openPluginFile } from './plugin-file.ts';

/** A file that may be run, as the operator allows it. */
export interface AllowedPlugin {
  /** As signatures name it. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  /** Of the file, lower-case hex. */
  readonly sha256: string;
  /** For one run, the hash included. */
  readonly timeoutMs: number;
}

export interface CommandRun {
  /** Null after a signal. */
  readonly exitCode: number | null;
  readonly output: Buffer;
  readonly errors: Buffer;
}

const maxOutputBytes = 1024 * 1024;
const maxErrorBytes = 64 * 1024;
/** Where the child finds its own file: `stdio` puts it behind the three usual ones. */
const ownFile = '/proc/self/fd/3';
/** Nothing of ours: our environment holds credentials of upstreams. */
const environment = { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8' };

/**
 * Runs one command of the plugin contract: its name is the only argument, the request is on
 * standard input. No shell, a process group of its own that does not outlive the run, an empty
 * environment, `/` as its folder. Throws `PluginError`, or the signal's reason.
 */
export async function runCommand(
  { name, path, sha256, timeoutMs }: AllowedPlugin,
  command: string,
  request: unknown,
  waiting: AbortSignal,
): Promise<CommandRun> {
  const signal = withDeadline(timeoutMs, waiting);
  try {
    const file = await openPluginFile(path, sha256);
    try {
      signal.throwIfAborted();
      const child = spawnFile(file.fd, path, command);
      return await finish(child, JSON.stringify(request), signal);
    } finally {
      await file.close();
    }
  } catch (error) {
    waiting.throwIfAborted();
    if (error instanceof PluginError) throw error;
    if (signal.aborted) {
      throw new PluginError('PLUGIN_TIMEOUT', `${name} gave no answer within ${timeoutMs} ms`);
    }
    const message = `${name} could not be run: ${messageOf(error)}`;
    throw new PluginError('PLUGIN_FAILED', message, { cause: error });
  }
}

function spawnFile(file: number, path: string, command: string): ChildProcess {
  return spawn(ownFile, [command], {
    argv0: path,
    cwd: '/',
    env: environment,
    detached: true,
    shell: false,
    stdio: ['pipe', 'pipe', 'pipe', file],
  });
}

async function finish(
  child: ChildProcess,
  input: string,
  signal: AbortSignal,
): Promise<CommandRun> {
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) throw new TypeError('no pipes');
  const ended = Promise.withResolvers<number | null>();
  child.once('error', ended.reject);
  let hasEnded = false;
  child.once('exit', (exitCode) => {
    hasEnded = true;
    // Now, and not later: once nobody is left in the group, its number may become another's.
    killGroup(child.pid);
    ended.resolve(exitCode);
  });
  // What ends without reading its input may have an answer all the same.
  stdin.on('error', () => undefined);
  stdin.end(input);
  try {
    const work = Promise.all([
      ended.promise,
      readBounded(stdout, maxOutputBytes, 'its output'),
      readBounded(stderr, maxErrorBytes, 'what it says on standard error'),
    ]);
    const [exitCode, output, errors] = await abortable(work, signal);
    return { exitCode, output, errors };
  } finally {
    if (!hasEnded) killGroup(child.pid);
    // Somebody who left the group may hold the other end for ever.
    stdout.destroy();
    stderr.destroy();
  }
}

/** The child and all that it has started, unless they left its group. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
