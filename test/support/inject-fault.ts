import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Test } from 'tap';
import { leaveOut, requireRoot, requireTool } from './require-tool.ts';

/** System calls of this process that go wrong until it is ended. */
export interface InjectedFault {
  /** Calls that were tampered with so far. */
  readonly hits: number;
  end(): Promise<void>;
}

export interface FaultOptions {
  /** As `strace -e inject=` has it: `pwritev:error=EIO`, `fdatasync:delay_enter=2s`. */
  readonly inject: string;
  /** Calls on this file alone; on all files unless told. */
  readonly path?: string;
}

/** Whether strace is there and may attach; reports it where not. */
export async function requireStrace(t: Test): Promise<boolean> {
  const strace = requireRoot(t, 'traces processes') ? requireTool(t, 'strace') : undefined;
  if (strace === undefined) return false;
  try {
    await (await injectFault(t, { inject: 'sync:error=EIO' })).end();
    return true;
  } catch (error) {
    // Root in a container may not be allowed to.
    leaveOut(t, (error as Error).message.trim());
    return false;
  }
}

/** Attaches strace to this very process, all of its threads; resolves once it is in force. */
export async function injectFault(t: Test, { inject, path }: FaultOptions): Promise<InjectedFault> {
  const [calls = ''] = inject.split(':');
  const paths = path === undefined ? [] : ['-P', path];
  const words = ['-f', '-p', String(process.pid), '-e', `trace=${calls}`, '-e', `inject=${inject}`];
  const child = spawn('strace', [...words, ...paths], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit');
  const attached = Promise.withResolvers<void>();
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (/attached/.test(output)) attached.resolve();
  });
  void exited.then(() => attached.reject(new Error(`strace ended: ${output}`)));
  attached.promise.catch(() => undefined);
  const end = async (): Promise<void> => {
    child.kill('SIGINT');
    await exited;
  };
  t.teardown(end);
  await attached.promise;
  return {
    get hits() {
      return output.match(/\((?:INJECTED|DELAYED)\)/g)?.length ?? 0;
    },
    end,
  };
}
