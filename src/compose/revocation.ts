import { createHash } from 'node:crypto';
import type { Config } from '../config/schema.ts';
import { quotedUrl } from '../kernel/quoted.ts';
import type { KeyValue } from '../storage/key-value.ts';
import type { FiledRevocation } from '../trust/filed-revocation.ts';
import type { RevocationCache } from '../trust/revocation-cache.ts';
import type { RevocationEvents } from '../trust/revocation-events.ts';
import { defaultRevocationLimits } from '../trust/revocation-limits.ts';
import { makeRevocation, type Revocation } from '../trust/revocation.ts';
import type { TrustMaterial } from '../trust/trust-material.ts';
import type { ListenAddress } from '../upstream/egress.ts';
import { openGuardedFetch } from '../upstream/guarded-fetch.ts';
import type { Observed } from './verifier.ts';

export interface RevocationOptions extends Observed {
  /** Where answers outlive the process; undefined: in memory alone. */
  readonly store?: KeyValue | undefined;
  /** The same, in place of `store`. */
  readonly cache?: RevocationCache | undefined;
  /** The trust material in force at this moment, of which files of revocation data are part. */
  readonly trust: () => Pick<TrustMaterial, 'filedRevocation'>;
  /** Where this process listens; nothing is fetched from there. */
  readonly ownListeners: () => readonly ListenAddress[];
}

/** Revocation as configured, with its connections; `opened` closes them. */
export function openRevocation(
  {
    trust: { offline },
    egress,
  }: Pick<Config, 'egress'> & { readonly trust: Pick<Config['trust'], 'offline'> },
  { store, cache, trust, ownListeners, ...observed }: RevocationOptions,
  opened: AsyncDisposableStack,
): Revocation {
  const guarded = offline
    ? undefined
    : openGuardedFetch({ allowPrivate: egress.allowPrivate, ownListeners });
  if (guarded !== undefined) opened.defer(() => guarded.close());
  return makeRevocation({
    fetch: guarded && ((request, signal) => guarded.fetch(request, signal)),
    cache: cache ?? (store && cacheIn(store)),
    filed: () => trust().filedRevocation,
    clock: observed.clock,
    events: toEvents(observed),
    limits: defaultRevocationLimits,
  });
}

/** Asks anew for what grows old, in rounds, until `opened` is closed. */
export function keepRefreshing(
  revocation: Revocation,
  intervalMs: number,
  opened: AsyncDisposableStack,
): void {
  let round: Promise<void> | undefined;
  const timer = setInterval(() => {
    round ??= revocation.refresh().finally(() => {
      round = undefined;
    });
  }, intervalMs);
  timer.unref();
  opened.defer(() => clearInterval(timer));
}

/**
 * Trust material with the revocation data of files. Every chain to a trust store is judged by
 * them: with others each verdict is found anew.
 */
export function withFiledRevocation<Trust extends TrustMaterial>(
  trust: Trust,
  filedRevocation: FiledRevocation,
): Trust {
  return {
    ...trust,
    filedRevocation,
    notationStoreDigest: (store) =>
      createHash('sha256')
        .update(`${trust.notationStoreDigest(store)}\nrevocation ${filedRevocation.digest}`)
        .digest('hex'),
  };
}

const prefix = 'revocation ';

function cacheIn(store: KeyValue): RevocationCache {
  return {
    get: (key) => store.get(prefix + key),
    put: (key, value) => store.put(prefix + key, value),
    delete: (key) => store.delete(prefix + key),
    async keys(within, limit) {
      const keys = await store.keys(prefix + within, limit);
      return keys.map((key) => key.slice(prefix.length));
    },
  };
}

function toEvents({ metrics, log }: Observed): RevocationEvents {
  return {
    requested: (kind, outcome) =>
      metrics.count('assay_revocation_requests_total', { kind, outcome }),
    failed: (kind, url, because) =>
      log.warn({ kind, url: quotedUrl(url), because }, 'revocation data can not be had'),
    reused(kind, from, ageSeconds) {
      metrics.count('assay_revocation_reused_total', { kind, from });
      log.debug({ kind, from, ageSeconds }, 'revocation data is there already');
    },
    oldest: (kind, ageSeconds) =>
      metrics.set('assay_revocation_oldest_seconds', { kind }, ageSeconds),
    cacheFailed: (because) => log.warn({ because }, 'revocation data can not be kept'),
  };
}
