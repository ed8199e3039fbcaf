import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { S3Address } from '../../src/storage/s3-client.ts';
import { addressOf } from './fake-s3.ts';
import { freePort, untilTrue } from './redis-server.ts';
import { requireTool } from './require-tool.ts';

/** A real server of S3 (versitygw over a folder), ended with the test. */
export interface S3Server {
  readonly address: S3Address;
  /** What stands under `storage.s3` in a configuration. */
  readonly configuration: Readonly<Record<string, unknown>>;
  /** The bucket's folder: an object is the file of its key. */
  readonly folder: string;
  signal(name: NodeJS.Signals): void;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Again, where it was. */
  start(): Promise<void>;
}

/** Undefined where there is none: the test is skipped by name then. */
export async function startS3(t: Test): Promise<S3Server | undefined> {
  const tool = requireTool(t, 'versitygw');
  if (tool === undefined) return undefined;
  const root = mkdtempSync(join(tmpdir(), 'assay-s3-'));
  const [data, words] = [join(root, 'data'), join(root, 'words')];
  const port = await freePort();
  const address = addressOf(`http://127.0.0.1:${port}`);
  const folder = join(data, address.bucket);
  mkdirSync(folder, { recursive: true });
  mkdirSync(words);
  const { accessKeyId, secretAccessKey } = keysOf(address);
  const env = { ...process.env, ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey };
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const listen = ['--port', `127.0.0.1:${port}`, '--quiet', '--keep-alive'];
    child = spawn(tool, [...listen, 'posix', '--sidecar', words, data], { env, stdio: 'ignore' });
    await untilTrue(async () => (await fetch(`${address.endpoint}/`)).status > 0);
  };
  const kill = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  // A test that crashes tears nothing down.
  const atExit = (): void => void child?.kill('SIGKILL');
  process.once('exit', atExit);
  t.teardown(async () => {
    await kill();
    process.off('exit', atExit);
    rmSync(root, { recursive: true, force: true });
  });
  await start();
  return {
    address,
    configuration: configurationOf(address),
    folder,
    signal: (name) => void child?.kill(name),
    kill,
    start,
  };
}

/** The same place as an operator would write it. */
export function configurationOf(address: S3Address): Readonly<Record<string, unknown>> {
  const { endpoint, region, bucket } = address;
  return { endpoint, plainHttp: 'allowed', region, bucket, credentials: keysOf(address) };
}

function keysOf({ credentials }: S3Address) {
  if (credentials === 'search') throw new TypeError('the tests have keys of their own');
  return credentials;
}
