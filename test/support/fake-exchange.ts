import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { freeMisses } from '../../src/gate/misses.ts';
import { defaultClientLimits, makeClients } from '../../src/routes/clients.ts';
import type { Exchange } from '../../src/routes/exchange.ts';
import { serverLimits, type ServerLimits } from '../../src/routes/limits.ts';
import type { Metrics } from '../../src/observe/metric-list.ts';
import { makeTargets } from '../../src/routes/targets.ts';
import { makeFakeClock } from './fake-clock.ts';
import { makeFakeGate } from './fake-gate.ts';
import { testNames } from './route-server.ts';

export interface FakeExchange extends Exchange {
  /** What was written to the response, in order. */
  readonly written: readonly unknown[];
  readonly timings: readonly unknown[];
}

/** A request that no server took, with an answer that goes nowhere. */
export function makeFakeExchange(
  method: 'GET' | 'HEAD' = 'GET',
  limits: Partial<ServerLimits> = {},
): FakeExchange {
  const written: unknown[] = [];
  const timings: unknown[] = [];
  const clock = makeFakeClock();
  const silent = (): void => undefined;
  const response = {
    writeHead(...head: readonly (number | string | OutgoingHttpHeaders)[]) {
      written.push(...head);
    },
    end(...body: readonly unknown[]) {
      written.push(...body);
    },
  };
  const metrics: Metrics = {
    count: silent,
    time: (name, labels, seconds) => void timings.push([name, labels, seconds]),
    set: silent,
  };
  const clientOf = (): string => '192.0.2.1';
  const startedMs = clock.monotonicMs();
  clock.advanceMs(250);
  return {
    id: 'request-1',
    services: {
      gate: makeFakeGate(),
      targets: makeTargets(testNames),
      log: { debug: silent, info: silent, warn: silent, error: silent },
      metrics,
      isProxy: () => false,
      clients: makeClients(defaultClientLimits, { clientOf, clock, metrics }),
      misses: freeMisses,
      clock,
      limits: { ...serverLimits, ...limits },
      publicUrl: undefined,
    },
    request: { method, headers: {}, socket: {} } as IncomingMessage,
    response: response as unknown as ServerResponse,
    rawUrl: '/v2/',
    startedMs,
    signal: new AbortController().signal,
    route: 'manifests',
    named: undefined,
    reference: undefined,
    written,
    timings,
  };
}
