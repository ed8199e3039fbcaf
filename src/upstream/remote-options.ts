import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { CredentialOptions } from './auth/credentials.ts';
import type { RunHelper } from './auth/credential-helper.ts';
import type { CircuitLimits } from './circuit.ts';
import type { ListenAddress, Resolve } from './egress.ts';
import type { SharedRates } from './rate-budget.ts';
import type { Wait } from './retry.ts';

/** One upstream registry, as configured; secrets and PEM texts are read already. */
export interface RemoteOptions {
  /** The configured key, such as `docker.io`: names the upstream in errors and metrics. */
  readonly name: string;
  /** `https://HOST[:PORT]`; `http://` only with `plainHttp`. */
  readonly url: string;
  readonly plainHttp?: 'allowed' | undefined;
  readonly credentials?: CredentialOptions | undefined;
  /** PEM of the CAs that vouch for the upstream's own origin, in place of Node's. */
  readonly ca?: string | undefined;
  /** PEM; shown to the upstream's own origin only. */
  readonly clientCertificate?: { readonly certificate: string; readonly key: string } | undefined;
  /** URL of an HTTP proxy that all connections go through. */
  readonly httpProxy?: string | undefined;
  /** `HOST` or `HOST:PORT` that may issue tokens, beside what `checkRealm` allows by itself. */
  readonly realmAllow?: readonly string[] | undefined;
  /** CIDR blocks that addresses named by others (redirects, realms) may lie in. */
  readonly allowPrivate?: readonly string[] | undefined;
  /** Where this process listens: never dialled. Asked at each connection, as ports may be late. */
  readonly ownListeners?: (() => readonly ListenAddress[]) | undefined;
  /** Requests that it still allows and that are not used to ask again for what is known. */
  readonly rateLimitReserve?: number | undefined;
  readonly limits?: Partial<RemoteLimits> | undefined;
  readonly circuit?: Partial<CircuitLimits> | undefined;
}

export interface RemoteDependencies {
  readonly clock: Clock;
  readonly metrics?: Metrics | undefined;
  readonly log?: Log | undefined;
  /** The operating system's resolver unless told. */
  readonly resolve?: Resolve | undefined;
  readonly wait?: Wait | undefined;
  readonly runHelper?: RunHelper | undefined;
  /** What other replicas were told of its limits. */
  readonly rates?: SharedRates | undefined;
}

export const defaultRateLimitReserve = 20;

export interface RemoteLimits {
  /** Name look-up, and then TCP and TLS, each. */
  readonly connectMs: number;
  /** From the request to the end of the answer's headers. */
  readonly headersMs: number;
  /** Without one byte of a body that somebody waits for. */
  readonly idleMs: number;
  /** One call with its tokens, redirects and retries; of a blob until its headers. */
  readonly totalMs: number;
  /** A blob that came slower than this, over `rateWindowMs` of waiting, is given up. */
  readonly minBytesPerSecond: number;
  readonly rateWindowMs: number;
  /** Connections to one origin. */
  readonly maxConnections: number;
  /** Requests to one origin that wait for a connection or the answer's headers. */
  readonly maxWaiting: number;
}

export const defaultRemoteLimits: RemoteLimits = {
  connectMs: 5_000,
  headersMs: 20_000,
  idleMs: 30_000,
  totalMs: 60_000,
  minBytesPerSecond: 1024,
  rateWindowMs: 60_000,
  maxConnections: 256,
  maxWaiting: 512,
};

/** Bounds on what an upstream may send, in bytes unless named otherwise. */
export const answerLimits = {
  tokenBytes: 64 * 1024,
  tagsBytes: 4 * 1024 * 1024,
  tagsValues: 250_000,
  referrersBytes: 8 * 1024 * 1024,
  referrersValues: 100_000,
  referrersPages: 40,
  referrersEntries: 2000,
  tagPages: 10,
  headerBytes: 16 * 1024,
  redirects: 5,
} as const;
