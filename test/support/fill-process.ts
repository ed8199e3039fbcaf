import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';
import type { Content } from '../contract/blob-store.ts';
import type { Barrier } from './barrier.ts';

/** One blob over HTTP; its second half comes only after the barrier. */
export interface BlobServer {
  readonly url: string;
  /** The offset that each request began at. */
  readonly starts: readonly number[];
}

export async function serveBlob(t: Test, { bytes }: Content, until: Barrier): Promise<BlobServer> {
  const starts: number[] = [];
  const middle = bytes.length >> 1;
  const server = createServer((request, response) => {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    starts.push(start);
    response.writeHead(start === 0 ? 200 : 206);
    if (start < middle) response.write(bytes.subarray(start, middle));
    void until.pass().then(() => response.end(bytes.subarray(Math.max(start, middle))));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, starts };
}

/** Another process that reads a blob through a store and fills of its own. */
export interface FillProcess {
  /** Resolves when its first bytes have come. */
  readonly begun: Promise<void>;
  /** The hash of all that it got, or what went wrong. */
  readonly ended: Promise<string>;
  kill(): Promise<void>;
}

export type FillMessage = 'begun' | { readonly ended: string };

export function startFillProcess(
  t: Test,
  path: string,
  url: string,
  { name }: Content,
): FillProcess {
  const words = [path, url, name.digest, String(name.size)];
  const child = fork(new URL('fill-process-main.ts', import.meta.url), words);
  const exited = once(child, 'exit');
  t.teardown(() => void child.kill('SIGKILL'));
  return {
    begun: messageOf(child, (message) => message === 'begun').then(() => undefined),
    ended: messageOf(child, (message) => message !== 'begun').then((message) =>
      typeof message === 'object' ? message.ended : '',
    ),
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function messageOf(
  child: ChildProcess,
  isIt: (message: FillMessage) => boolean,
): Promise<FillMessage> {
  const { promise, resolve } = Promise.withResolvers<FillMessage>();
  child.on('message', (message: FillMessage) => {
    if (isIt(message)) resolve(message);
  });
  child.once('exit', () => resolve({ ended: 'it ended without a word' }));
  return promise;
}
