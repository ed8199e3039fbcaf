import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { Owner } from './process.ts';

/** TCP between clients and the proxy that breaks off in the middle of an answer, once a path. */
export interface CuttingRelay {
  readonly origin: string;
  /** HOST:PORT, for references. */
  readonly address: string;
  /** Heads of the requests that came through, as text, with those of their answers. */
  readonly exchanges: readonly Exchange[];
  /** Resolves when a request for the rest has been answered. */
  readonly resumed: Promise<void>;
}

export interface Exchange {
  readonly request: string;
  readonly answer: string;
  readonly isCut: boolean;
}

export interface CutOptions {
  /** Of the proxy. */
  readonly port: number;
  /** An answer to a first request for such a path is cut, */
  readonly path: RegExp;
  /** after so many bytes of it. */
  readonly afterBytes: number;
}

export async function openCuttingRelay(owner: Owner, options: CutOptions): Promise<CuttingRelay> {
  const exchanges: Exchange[] = [];
  const sockets = new Set<Socket>();
  const cut = new Set<string>();
  const resumed = Promise.withResolvers<void>();
  const server = createServer((client) => {
    const proxy = connect(options.port, '127.0.0.1');
    for (const socket of [client, proxy]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        sockets.delete(socket);
        client.destroy();
        proxy.destroy();
      });
    }
    let request = '';
    let passed = 0;
    let limit = Infinity;
    let entry = -1;
    client.on('data', (bytes: Buffer) => {
      // Clients of these tests send one request after the answer of the one before.
      request = bytes.toString('latin1');
      const path = request.split(' ')[1] ?? '';
      const isFirst = request.startsWith('GET') && options.path.test(path) && !cut.has(path);
      if (isFirst) cut.add(path);
      passed = 0;
      limit = isFirst ? options.afterBytes : Infinity;
      entry = exchanges.push({ request, answer: '', isCut: isFirst }) - 1;
      proxy.write(bytes);
    });
    proxy.on('data', (bytes: Buffer) => {
      if (passed === 0) {
        const [answer = ''] = bytes.toString('latin1').split('\r\n\r\n', 1);
        exchanges[entry] = { request, answer, isCut: limit !== Infinity };
        if (rangeOf(request) !== undefined) resumed.resolve();
      }
      passed += bytes.length;
      if (passed < limit) {
        if (!client.write(bytes)) {
          proxy.pause();
          client.once('drain', () => proxy.resume());
        }
        return;
      }
      // What was let through arrives; then the connection breaks off.
      client.end(bytes.subarray(0, bytes.length - (passed - limit)), () => client.destroy());
      proxy.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  owner.teardown(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it has no port');
  const host = `127.0.0.1:${address.port}`;
  return { origin: `http://${host}`, address: host, exchanges, resumed: resumed.promise };
}

/** The Range header of a request's head. */
export function rangeOf(request: string): string | undefined {
  return /^range: (.*)$/im.exec(request)?.[1]?.trim();
}
