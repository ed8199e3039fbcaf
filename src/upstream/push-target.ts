import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Reference } from '../oci/reference.ts';
import type { RepositoryPath } from '../oci/repository.ts';
import { makeAuthorizer } from './auth/authorizer.ts';
import { runHelper as systemRunHelper } from './auth/credential-helper.ts';
import { makeCredentialSource } from './auth/credentials.ts';
import { makeEgressGuard } from './egress.ts';
import { toUpstreamError } from './failure.ts';
import { openTransport } from './http.ts';
import {
  type BlobOutcome,
  hasBlob,
  pushBlob,
  type PushedBlob,
  SourceFailure,
} from './push-blob.ts';
import { readReferrers, listUnderTag, type PushedManifest, pushManifest } from './push-manifest.ts';
import { makePushWire } from './push-wire.ts';
import { makeRegistryUrls, readUpstreamOrigin } from './registry-url.ts';
import {
  defaultRemoteLimits,
  type RemoteDependencies,
  type RemoteLimits,
  type RemoteOptions,
} from './remote-options.ts';
import { systemWait } from './retry.ts';

/**
 * A registry that content is pushed to. What is there is not sent again. Throws `UpstreamError`,
 * the signal's reason, and what a blob's own reader throws.
 */
export interface PushTarget {
  hasBlob(path: RepositoryPath, blob: NamedBlob, signal: AbortSignal): Promise<boolean>;
  /** A blob that is not there; `mountFrom` has it. */
  pushBlob(
    path: RepositoryPath,
    blob: PushedBlob,
    mountFrom: RepositoryPath | undefined,
    signal: AbortSignal,
  ): Promise<BlobOutcome>;
  /** Whose parts are there. */
  pushManifest(
    path: RepositoryPath,
    reference: Reference,
    manifest: PushedManifest,
    signal: AbortSignal,
  ): Promise<'present' | 'pushed'>;
  /** What its referrers API finds of what names the subject; nothing without such an API. */
  readReferrers(
    path: RepositoryPath,
    subject: Digest,
    signal: AbortSignal,
  ): Promise<ReadonlySet<string>>;
  /** In the index under the subject's tag, beside what it lists already. */
  listUnderTag(
    path: RepositoryPath,
    subject: Digest,
    referrers: readonly Descriptor[],
    signal: AbortSignal,
  ): Promise<boolean>;
  close(): Promise<void>;
}

type NamedBlob = Pick<PushedBlob, 'digest' | 'size'>;

export interface PushOptions extends Omit<RemoteOptions, 'rateLimitReserve' | 'circuit'> {
  readonly onSent: (bytes: number) => void;
  /** Of an upload in parts. */
  readonly chunkBytes?: number;
}

/** A registry may hash, copy or scan what it was sent before it answers. */
const pushLimits: RemoteLimits = {
  ...defaultRemoteLimits,
  headersMs: 120_000,
  totalMs: 180_000,
  maxConnections: 8,
};
const defaultChunkBytes = 32 * 1024 * 1024;

/** Throws a `TypeError` for options that make no sense. */
export function openPushTarget(
  options: PushOptions,
  { clock, resolve, wait = systemWait, runHelper = systemRunHelper }: RemoteDependencies,
): PushTarget {
  const { name, onSent, chunkBytes = defaultChunkBytes } = options;
  const limits = { ...pushLimits, ...options.limits };
  const origin = readUpstreamOrigin(options.url, options.plainHttp);
  const guard = makeEgressGuard({
    allowPrivate: options.allowPrivate ?? [],
    ownListeners: options.ownListeners ?? (() => []),
    timeoutMs: limits.connectMs,
    resolve,
  });
  const transport = openTransport(origin, options, guard, limits);
  const credentials = makeCredentialSource(origin, options.credentials, { clock, runHelper });
  const rules = { origin, realmAllow: options.realmAllow ?? [], rights: 'pull,push' } as const;
  const authorizer = makeAuthorizer(rules, { transport, credentials, clock });
  const { totalMs } = limits;
  const wire = makePushWire(origin, { transport, authorizer, clock, wait, totalMs });
  const pushing = { urls: makeRegistryUrls(origin), wire, clock, wait, chunkBytes, onSent };
  const named = async <T>(
    what: string,
    signal: AbortSignal,
    work: () => Promise<T>,
  ): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof SourceFailure) throw error.cause;
      throw toUpstreamError(error, `${what} at ${name}`);
    }
  };
  return {
    hasBlob: (path, blob, signal) =>
      named(`blob ${path}@${blob.digest}`, signal, () => hasBlob(path, blob, pushing, signal)),
    pushBlob: (path, blob, mountFrom, signal) =>
      named(`blob ${path}@${blob.digest}`, signal, () =>
        pushBlob(path, blob, mountFrom, pushing, signal),
      ),
    pushManifest: (path, reference, manifest, signal) =>
      named(`manifest ${path}@${manifest.digest}`, signal, () =>
        pushManifest(path, reference, manifest, pushing, signal),
      ),
    readReferrers: (path, subject, signal) =>
      named(`referrers of ${path}@${subject}`, signal, () =>
        readReferrers(path, subject, pushing, signal),
      ),
    listUnderTag: (path, subject, referrers, signal) =>
      named(`referrers of ${path}@${subject}`, signal, () =>
        listUnderTag(path, subject, referrers, pushing, signal),
      ),
    close: () => transport.close(),
  };
}
