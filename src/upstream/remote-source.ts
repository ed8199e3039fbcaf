import { makeAuthorizer } from './auth/authorizer.ts';
import { runHelper as systemRunHelper } from './auth/credential-helper.ts';
import { makeCredentialSource } from './auth/credentials.ts';
import { makeBlobReader } from './blobs.ts';
import { type Circuit, makeCircuits } from './circuit.ts';
import type { ContentSource } from './content-source.ts';
import { makeEgressGuard } from './egress.ts';
import { makeExchange } from './exchange.ts';
import { openTransport, type Transport } from './http.ts';
import { makeManifestReader } from './manifests.ts';
import { makeRateBudget } from './rate-budget.ts';
import { listReferrers } from './referrers.ts';
import { makeRegistryUrls, readUpstreamOrigin } from './registry-url.ts';
import {
  defaultRateLimitReserve,
  defaultRemoteLimits,
  type RemoteDependencies,
  type RemoteOptions,
} from './remote-options.ts';
import { systemWait } from './retry.ts';
import { listTags } from './tags.ts';

/**
 * An upstream registry (distribution-spec, pull and discovery). Nothing of a client's request
 * comes here but parsed names, and nothing is sent but what stands in these files. Throws a
 * `TypeError` for options that make no sense.
 */
export function makeRemoteSource(
  options: RemoteOptions,
  dependencies: RemoteDependencies,
): ContentSource {
  const { clock, metrics, log, resolve } = dependencies;
  const { wait = systemWait, runHelper = systemRunHelper } = dependencies;
  const limits = { ...defaultRemoteLimits, ...options.limits };
  const origin = readUpstreamOrigin(options.url, options.plainHttp);
  const guard = makeEgressGuard({
    allowPrivate: options.allowPrivate ?? [],
    ownListeners: options.ownListeners ?? (() => []),
    timeoutMs: limits.connectMs,
    resolve,
  });
  const circuits = makeCircuits(options.name, { clock, metrics, log }, options.circuit);
  const transport = openTransport(origin, options, guard, limits);
  const credentials = makeCredentialSource(origin, options.credentials, { clock, runHelper });
  const rules = { origin, realmAllow: options.realmAllow ?? [] };
  const authorizer = makeAuthorizer(rules, {
    transport: throughCircuit(transport, circuits.token),
    credentials,
    clock,
  });
  const { name: upstream, rateLimitReserve: reserve = defaultRateLimitReserve } = options;
  const rates = makeRateBudget(
    { upstream, reserve },
    { clock, metrics, shared: dependencies.rates },
  );
  const exchange = makeExchange(
    { upstream, origin, totalMs: limits.totalMs },
    { transport, authorizer, circuits, rates, clock, wait, metrics },
  );
  const urls = makeRegistryUrls(origin);
  const manifests = makeManifestReader(options.name, urls, exchange, metrics);
  return {
    ...manifests,
    ...makeBlobReader(urls, exchange, clock, limits),
    listTags: (path, query, signal) => listTags(path, query, urls, exchange, signal),
    listReferrers: (path, digest, signal) =>
      listReferrers(path, digest, { urls, exchange, manifests, log }, signal),
    close: () => transport.close(),
  };
}

function throughCircuit(transport: Transport, circuit: Circuit): Transport {
  return {
    ...transport,
    async send(request, signal) {
      const trial = circuit.enter();
      try {
        const answer = await transport.send(request, signal);
        trial.answered(answer.status);
        return answer;
      } catch (error) {
        trial.failed(error, signal);
        throw error;
      }
    },
  };
}
