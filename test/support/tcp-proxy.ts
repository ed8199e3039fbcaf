import { once } from 'node:events';
import { createServer, connect, type Socket } from 'node:net';
import type { Test } from 'tap';

/** Between a client and a server on this machine; closed with the test. */
export interface TcpProxy {
  readonly port: number;
  /** From now on what the server says comes so much later. */
  delayMs(ms: number): void;
  /** Takes connections and lets nothing through, without a word; `false` heals. */
  swallow(isOn: boolean): void;
  /** Ends the connections that there are. */
  cut(): void;
  /** Where new connections lead from now on. */
  leadTo(port: number): void;
}

export async function startTcpProxy(t: Test, to: number): Promise<TcpProxy> {
  let target = to;
  let delay = 0;
  let isSwallowing = false;
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    return socket;
  };
  const server = createServer((client) => {
    keep(client);
    const upstream = keep(connect(target, '127.0.0.1'));
    client.on('data', (bytes) => {
      if (!isSwallowing) upstream.write(bytes);
    });
    upstream.on('data', (bytes) => {
      if (isSwallowing) return;
      if (delay === 0) client.write(bytes);
      else setTimeout(() => client.write(bytes), delay);
    });
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => sockets.forEach((socket) => socket.destroy());
  t.teardown(async () => {
    cut();
    server.close();
    await once(server, 'close');
  });
  return {
    port: (server.address() as { port: number }).port,
    delayMs(ms) {
      delay = ms;
    },
    swallow(isOn) {
      isSwallowing = isOn;
    },
    cut,
    leadTo(port) {
      target = port;
    },
  };
}
