import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import type { RedisAddress } from '../../src/storage/redis-client.ts';
import { findTool, requireTool } from './require-tool.ts';

const run = promisify(execFile);

/** A real redis-server, ended with the test. */
export interface RedisServer {
  readonly port: number;
  readonly folder: string;
  readonly address: RedisAddress;
  /** What redis-cli prints. */
  cli(...words: readonly string[]): Promise<string>;
  signal(name: NodeJS.Signals): void;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again where it was, on the same port. */
  start(...more: readonly string[]): Promise<void>;
}

/** Whether there is one; where not, the test is skipped by name. */
export function hasRedis(t: Test): boolean {
  return requireTool(t, 'redis-server') !== undefined && requireTool(t, 'redis-cli') !== undefined;
}

/** Starts one with these options of its command line. */
export async function startRedis(
  t: Test,
  options: readonly string[] = [],
  given: { readonly port?: number } = {},
): Promise<RedisServer> {
  const port = given.port ?? (await freePort());
  const folder = mkdtempSync(join(tmpdir(), 'assay-redis-'));
  let child: ChildProcess | undefined;
  const cli = async (...words: readonly string[]): Promise<string> => {
    const { stdout } = await run(findTool('redis-cli')!, ['-p', String(port), ...words]);
    return stdout.trim();
  };
  const end = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  const start = async (...more: readonly string[]): Promise<void> => {
    const usual = ['--port', String(port), '--dir', folder, '--save', '', '--appendonly', 'no'];
    const words = [...usual, ...options, ...more];
    child = spawn(findTool('redis-server')!, words, { stdio: 'ignore' });
    await untilTrue(async () => (await cli('PING')) === 'PONG');
  };
  // A test that crashes tears nothing down.
  const kill = (): void => void child?.kill('SIGKILL');
  process.once('exit', kill);
  t.teardown(async () => {
    await end();
    process.off('exit', kill);
    rmSync(folder, { recursive: true, force: true });
  });
  await start();
  return {
    port,
    folder,
    address: { place: { kind: 'standalone', host: '127.0.0.1', port, database: 0 } },
    cli,
    signal: (name) => void child?.kill(name),
    kill: end,
    start,
  };
}

/** Resolves once it holds; rejects when it does not within so long. */
export async function untilTrue(
  holds: () => boolean | Promise<boolean>,
  withinMs = 15_000,
): Promise<void> {
  const deadline = AbortSignal.timeout(withinMs);
  for (;;) {
    if (await Promise.resolve(holds()).catch(() => false)) return;
    if (deadline.aborted) throw new Error(`it did not come true within ${withinMs} ms`);
    await delay(20);
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
