import type { Config } from '../config/schema.ts';
import { makeMisses, type Misses } from '../gate/misses.ts';
import type { ServerDependencies, ServerOptions } from '../routes/server.ts';
import { makeClientOf, makeIsProxy } from './client-address.ts';
import { missWaitMs } from './limits.ts';
import type { Observed } from './verifier.ts';

/** Who pays for asking upstreams in vain, as configured. */
export function makeConfiguredMisses({ limits: { client } }: Config, observed: Observed): Misses {
  const waiting = { maxWaiting: client.requests, waitMs: missWaitMs };
  return makeMisses({ ...client.misses, ...waiting }, observed);
}

/** How the public server tells clients apart, and what each may have. */
export function clientsOf({ listen, limits: { client, coldRequests } }: Config): {
  readonly clientOf: NonNullable<ServerDependencies['clientOf']>;
  readonly isProxy: NonNullable<ServerDependencies['isProxy']>;
  readonly clientLimits: NonNullable<ServerOptions['clientLimits']>;
} {
  const { requests, streams } = client;
  return {
    clientOf: makeClientOf(listen.trustedProxies),
    isProxy: makeIsProxy(listen.trustedProxies),
    clientLimits: { requests, streams, coldRequests },
  };
}
