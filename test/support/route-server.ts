import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Test } from 'tap';
import type { Gate } from '../../src/gate/trusted-content.ts';
import type { Log, LogFields } from '../../src/observe/log.ts';
import type { Metrics } from '../../src/observe/metric-list.ts';
import type { Names } from '../../src/routes/names.ts';
import {
  makeServer,
  type ServerDependencies,
  type ServerOptions,
} from '../../src/routes/server.ts';
import { type FakeClock, makeFakeClock } from './fake-clock.ts';
import { makeFakeGate } from './fake-gate.ts';

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

export interface RouteServer {
  readonly server: FastifyInstance;
  readonly clock: FakeClock;
  readonly logLines: readonly LogLine[];
  /** `name{label="value"}` of every count, in order. */
  readonly counts: readonly string[];
}

/** `demo` and `docker.io` by prefix and `ns`, and `hub.test` for Docker Hub. */
export const testNames: Names = {
  upstreams: new Set(['demo', 'docker.io', 'ghcr.io', 'localhost:5555']),
  hosts: new Map([['hub.test', 'docker.io']]),
  defaultUpstream: undefined,
};

/** The public server over a gate that a test makes. */
export function makeRouteServer(
  t: Test,
  parts: Partial<Gate> = {},
  options: ServerOptions & Pick<ServerDependencies, 'isProxy'> & { names?: Names } = {},
): RouteServer {
  const clock = makeFakeClock();
  const logLines: LogLine[] = [];
  const counts: string[] = [];
  const write = (level: string) => (fields: LogFields, message: string) => {
    logLines.push({ level, message, fields });
  };
  const log: Log = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  };
  const metrics: Metrics = {
    count(name, labels, by = 1) {
      counts.push(`${name}${JSON.stringify(labels)} ${by}`);
    },
    time: () => undefined,
    set: () => undefined,
  };
  const { names = testNames, isProxy, ...rest } = options;
  const gate = makeFakeGate(parts);
  const server = makeServer(
    { gate, names, log, metrics, clock, ...(isProxy && { isProxy }) },
    rest,
  );
  t.teardown(() => server.close());
  return { server, clock, logLines, counts };
}

/** Listens on a free port of the loopback interface; returns the port. */
export async function listen({ server }: RouteServer): Promise<number> {
  await server.listen({ host: '127.0.0.1', port: 0 });
  return (server.server.address() as AddressInfo).port;
}

export async function connectTo(t: Test, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** Sends bytes as they are, and returns all that comes until the server ends the connection. */
export async function exchangeRaw(t: Test, port: number, request: string): Promise<string> {
  const socket = await connectTo(t, port);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const closed = once(socket, 'close');
  socket.write(request, 'latin1');
  await closed;
  return Buffer.concat(chunks).toString('latin1');
}
