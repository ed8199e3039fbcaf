import type {
  Config,
  CredentialsConfig,
  RemoteUpstreamConfig,
  UpstreamConfig,
} from '../config/schema.ts';
import type { Misses } from '../gate/misses.ts';
import type { Clock } from '../kernel/clock.ts';
import { readTextFileBounded } from '../files/read-file.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { ManifestStore } from '../storage/manifest-store.ts';
import type { CredentialOptions } from '../upstream/auth/credentials.ts';
import type { ContentSource } from '../upstream/content-source.ts';
import type { ListenAddress } from '../upstream/egress.ts';
import { keepBlobs } from '../upstream/keep-blobs.ts';
import { makeLayoutSource } from '../upstream/layout-source.ts';
import { keepManifests } from '../upstream/pull-through.ts';
import type { SharedRates } from '../upstream/rate-budget.ts';
import type { RemoteOptions } from '../upstream/remote-options.ts';
import { makeRemoteSource } from '../upstream/remote-source.ts';
import { shareManifests } from '../upstream/share-manifests.ts';
import type { Content } from './content.ts';
import { readFailure } from './read-failure.ts';
import { StartupError } from './startup-error.ts';
import { maxPemBytes } from './limits.ts';

/** The content source of every configured upstream. */
export interface Upstreams {
  get(name: string): ContentSource | undefined;
  close(): Promise<void>;
}

export interface UpstreamDependencies {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Where what remote upstreams gave is kept; undefined: nowhere. */
  readonly kept?: ManifestStore | undefined;
  /** The same for blobs. */
  readonly content?: Content | undefined;
  /** Who pays for questions; undefined: nobody. */
  readonly misses?: Misses | undefined;
  readonly rates?: SharedRates | undefined;
  /** Where this process listens; nothing is fetched from there. */
  readonly ownListeners: () => readonly ListenAddress[];
}

/** Opens all of them; no connection is made yet. Throws `StartupError` naming what can't be used. */
export async function openUpstreams(
  config: Config,
  dependencies: UpstreamDependencies,
): Promise<Upstreams> {
  const sources = new Map<string, ContentSource>();
  const close = async (): Promise<void> => {
    await Promise.all([...sources.values()].map((source) => source.close()));
  };
  try {
    for (const [name, upstream] of Object.entries(config.upstreams)) {
      sources.set(name, await openSource(name, upstream, config, dependencies));
    }
  } catch (cause) {
    await close();
    if (cause instanceof StartupError) throw cause;
    throw new StartupError('UPSTREAM_UNUSABLE', messageOf(cause), { cause });
  }
  return { get: (name) => sources.get(name), close };
}

async function openSource(
  name: string,
  upstream: UpstreamConfig,
  config: Config,
  dependencies: UpstreamDependencies,
): Promise<ContentSource> {
  // What lies in a folder here need not be kept a second time.
  if ('layout' in upstream) {
    return makeLayoutSource({ name, folder: upstream.layout }, dependencies);
  }
  const { kept, content, misses, log, metrics } = dependencies;
  const where = `upstreams.${name}`;
  const options = {
    ...(await readRemoteOptions({ name, where, ...dependencies }, upstream, config)),
    rateLimitReserve: upstream.rateLimitReserve,
  };
  const asked = makeRemoteSource(options, dependencies);
  const remote = misses?.paidFor(asked) ?? asked;
  const source = content === undefined ? remote : keepBlobs(remote, name, { ...content, metrics });
  if (kept === undefined) return source;
  const shared = content?.shared;
  const once = shared === undefined ? source : shareManifests(source, name, shared);
  return keepManifests(once, kept, { upstream: name, toll: misses?.toll, log });
}

/** With secrets and PEM texts; `where` says in the configuration. Throws `StartupError`. */
export async function readRemoteOptions(
  {
    name,
    where,
    ownListeners,
  }: { readonly name: string; readonly where: string } & Pick<UpstreamDependencies, 'ownListeners'>,
  remote: Omit<RemoteUpstreamConfig, 'rateLimitReserve' | 'signatureRepository'>,
  config: Pick<Config, 'egress'>,
): Promise<RemoteOptions> {
  const { url, plainHttp, credentials, ca, clientCertificate, httpProxy, realmAllow } = remote;
  const readPem = (key: string, file: string): Promise<string> =>
    readTextFileBounded(file, maxPemBytes).catch((cause: unknown) => {
      const message = `${where}.${key}: ${file} can not be read: ${readFailure(cause)}`;
      throw new StartupError('UPSTREAM_UNUSABLE', message, { cause });
    });
  return {
    name,
    url,
    plainHttp,
    credentials: credentials && toCredentialOptions(credentials),
    ca: ca && (await readPem('ca', ca)),
    clientCertificate: clientCertificate && {
      certificate: await readPem('clientCertificate.certificate', clientCertificate.certificate),
      key: await readPem('clientCertificate.key', clientCertificate.key),
    },
    httpProxy,
    realmAllow,
    allowPrivate: config.egress.allowPrivate,
    ownListeners,
  };
}

function toCredentialOptions(credentials: CredentialsConfig): CredentialOptions {
  if (!('username' in credentials)) return credentials;
  const { username, password } = credentials;
  return { username, password: password.reveal() };
}
