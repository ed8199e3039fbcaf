import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import type { Test } from 'tap';
import { manifestMediaTypes } from '../../src/oci/media-types.ts';
import { type AppOptions, signatureOf, writeConfiguration } from './app-kit.ts';
import { type BlobClient, type BlobClientOptions, openBlobClient } from './blob-client.ts';
import type { Artifact, BuiltBlob } from './build-image.ts';
import { openScriptedRegistry, type ScriptedRegistry } from './scripted-registry.ts';
import { type ServeProcess, startServe } from './serve-process.ts';

type Line = ServeProcess['lines'][number];

/** `assay serve` with several workers. */
export interface Served extends ServeProcess {
  /** Process ids of those that run, listening or not. */
  workers(): readonly number[];
  /** Resolves with the lines of the log from `after` on that have this message, once there are so many. */
  says(message: string, count?: number, after?: number): Promise<readonly Line[]>;
  /**
   * Asks for a manifest on a connection of its own, which another worker gets than the one before:
   * the status, and the body where it is 200.
   */
  ask(path: string): Promise<{ readonly status: number; readonly body: Buffer }>;
  /** As many one after the other, which all workers get some of. */
  askAll(path: string, count?: number): Promise<readonly number[]>;
  /** Sums of a metric over its labels; 0 where it has none. */
  counted(name: string, labels?: string): Promise<number>;
}

/** Starts it on a configuration file; ended with the test. */
export async function serveWorkers(t: Test, file: string): Promise<Served> {
  const served = await startServe(t, file);
  const ask = async (path: string) => {
    const headers = { accept: manifestMediaTypes.join(', '), connection: 'close' };
    const answer = await fetch(`${served.oci}/v2/${path}`, { headers });
    return { status: answer.status, body: Buffer.from(await answer.arrayBuffer()) };
  };
  return {
    ...served,
    workers: () => childrenOf(served.pid),
    async says(message, count = 1, after = 0) {
      for (;;) {
        const found = served.lines.slice(after).filter((line) => line['message'] === message);
        if (found.length >= count) return found;
        await once(served.child.stdout!, 'data');
        // The reader of lines is behind the stream by a turn.
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    ask,
    async askAll(path, count = 8) {
      const statuses: number[] = [];
      for (let asked = 0; asked < count; asked += 1) statuses.push((await ask(path)).status);
      return statuses;
    },
    async counted(name, labels = '') {
      const pattern = new RegExp(`^${name}\\{[^}]*${labels}[^}]*\\} (\\S+)$`, 'gm');
      const values = (await served.metrics()).matchAll(pattern);
      return [...values].reduce((sum, [, value]) => sum + Number(value), 0);
    },
  };
}

/** The same before a registry with one signed image, `reg/app:v1`. */
export interface WorkersKit extends Served {
  readonly file: string;
  readonly registry: ScriptedRegistry;
  open(blob: BuiltBlob, options?: BlobClientOptions): BlobClient;
}

export async function openWorkersKit(
  t: Test,
  image: Artifact,
  config: AppOptions['config'] = {},
): Promise<WorkersKit> {
  const registry = await openScriptedRegistry(t);
  registry.put('app', image, 'v1');
  registry.put('app', signatureOf(image.descriptor));
  const file = writeConfiguration(t, {
    upstreams: { reg: registry.origin },
    config: { workers: 2, ...config },
  });
  const served = await serveWorkers(t, file);
  return {
    ...served,
    file,
    registry,
    open: ({ descriptor, bytes }, options) =>
      openBlobClient(t, served.oci, `/v2/reg/app/blobs/${descriptor.digest}`, {
        expected: bytes,
        ...options,
      }),
  };
}

/** proc(5), /proc/PID/task/TID/children; none where the process has ended. */
function childrenOf(pid: number): readonly number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return text === '' ? [] : text.split(' ').map(Number);
  } catch {
    return [];
  }
}

/** Whether there is such a process; one that has ended and was not waited for is none. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
