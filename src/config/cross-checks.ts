import { keyPath } from '../files/problem.ts';
import { parseRepositoryPath } from '../oci/repository.ts';
import { checkPlainHttp } from './plain-http.ts';
import type { Secret } from './redact.ts';
import type { Config, RemoteUpstreamConfig, SigstoreRootConfig } from './schema.ts';
import { checkStorage } from './storage-checks.ts';

/** What could be read of a configuration: every part may be missing for a problem of its own. */
export type PartialConfig = DeepPartial<Config>;

type DeepPartial<T> = T extends Secret
  ? T
  : T extends object
    ? { readonly [Key in keyof T]?: DeepPartial<T[Key]> | undefined }
    : T;

/** Takes down a problem of the key at `path`. */
export type Complain = (path: string, message: string) => void;

const hostName = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;
const minStateKeyLength = 32;
const minTokenLength = 32;
/** As Notation names them, after their file or domain. */
const pluginName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** Shorter, a medium does not get there; longer, nobody would notice that newer ones are kept back. */
const minValidityMs = 3_600_000;
const maxValidityMs = 3650 * 86_400_000;
/** Every answer begins within 20 s. */
const maxPluginTimeoutMs = 15_000;

/** What no single key can tell: names that refer to others, and settings that exclude others. */
export function checkAcross(config: PartialConfig, complain: Complain): void {
  const upstreams = config.upstreams ?? {};
  const keys = Object.keys(upstreams);
  checkThereIsContent(config, complain);
  for (const [key, upstream] of Object.entries(upstreams)) {
    checkUpstreamKey(key, complain);
    checkSignatureRepository(upstream?.signatureRepository, keyPath('upstreams', key), complain);
    if (upstream !== undefined && 'url' in upstream) {
      checkUpstream(upstream, keyPath('upstreams', key), complain);
    }
  }
  const mustBeUpstream = (key: string | undefined, path: string): void => {
    if (key === undefined || keys.includes(key) || isZone(config)) return;
    complain(path, `is no upstream; upstreams are ${keys.join(', ')}`);
  };
  for (const [host, key] of Object.entries(config.hosts ?? {})) {
    const path = keyPath('hosts', host);
    if (!hostName.test(host)) complain(path, 'is no host name in lower case, without a port');
    mustBeUpstream(key, path);
  }
  mustBeUpstream(config.defaultUpstream, 'defaultUpstream');
  checkListeners(config, complain);
  checkStateKeys(config, complain);
  checkAdminToken(config, complain);
  checkRedis(config, complain);
  checkStorage(config, complain);
  checkSigstore(config, complain);
  checkVault(config, complain);
  checkPlugins(config, complain);
  checkAirgap(config, complain);
}

function checkAirgap({ airgap }: PartialConfig, complain: Complain): void {
  const { publish, drop = [], store, validity = {} } = airgap ?? {};
  for (const [role, { ms = minValidityMs } = {}] of Object.entries(validity)) {
    if (ms >= minValidityMs && ms <= maxValidityMs) continue;
    complain(`airgap.validity.${role}`, 'is not between 1h and 3650d');
  }
  if (publish !== undefined) checkUpstream(publish, 'airgap.publish', complain);
  if (drop.length === 0 || store !== undefined) return;
  complain('airgap.drop', 'has no airgap.store, into which bundles are imported');
}

/** What is imported brings names of its own. */
function isZone({ airgap }: PartialConfig): boolean {
  return airgap?.store !== undefined;
}

function checkThereIsContent(config: PartialConfig, complain: Complain): void {
  if (config.upstreams === undefined || isZone(config)) return;
  if (Object.keys(config.upstreams).length > 0) return;
  complain('upstreams', 'is missing, and there is no airgap.store to serve from');
}

/** It is the first segment of repository names, or a registry with a port, which only `ns` can name. */
function checkUpstreamKey(key: string, complain: Complain): void {
  const [name = '', port, ...more] = key.split(':');
  const isPort = port === undefined || (/^\d{1,5}$/.test(port) && Number(port) <= 65535);
  const isName = !name.includes('/') && parseRepositoryPath(name) !== undefined;
  if (isName && isPort && more.length === 0) return;
  complain(
    keyPath('upstreams', key),
    'is no key for an upstream: write a registry as docker.io, or a plain name as demo',
  );
}

function checkSignatureRepository(
  template: string | undefined,
  path: string,
  complain: Complain,
): void {
  if (template === undefined) return;
  if (parseRepositoryPath(template.replaceAll('{repository}', 'a')) !== undefined) return;
  complain(
    `${path}.signatureRepository`,
    'makes no repository path, such as signatures/{repository}',
  );
}

function checkUpstream(
  { url, plainHttp, ca, clientCertificate }: DeepPartial<RemoteUpstreamConfig>,
  path: string,
  complain: Complain,
): void {
  if (url === undefined) return;
  checkPlainHttp(url, plainHttp, path, complain);
  const isPlain = url.startsWith('http:');
  if (isPlain && ca !== undefined) complain(`${path}.ca`, 'has no meaning beside an http url');
  if (isPlain && clientCertificate !== undefined) {
    complain(`${path}.clientCertificate`, 'has no meaning beside an http url');
  }
}

/** The admin API must not come out on the public listener. */
function checkListeners({ listen, admin }: PartialConfig, complain: Complain): void {
  if (listen?.port === undefined || admin?.port === undefined || listen.port === 0) return;
  if (listen.host === admin.host && listen.port === admin.port)
    complain('admin.port', 'is the port that listen has: give it another');
}

function checkPlugins({ trust }: PartialConfig, complain: Complain): void {
  const plugins = Object.entries(trust?.plugins ?? {});
  for (const [name, plugin] of plugins) {
    const path = keyPath('trust.plugins', name);
    const isName = pluginName.test(name);
    if (!isName) complain(path, 'is no name: 1 to 128 letters, digits, `.`, `_`, `-`');
    if (!mayTake(plugin?.timeout?.ms)) complain(`${path}.timeout`, 'must be from 1ms to 15s');
  }
  if (plugins.length > 0 && trust?.offline === true) {
    complain('trust.plugins', 'may open sockets, which trust.offline rules out: take one away');
  }
}

function mayTake(ms: number | undefined): boolean {
  return ms === undefined || (ms > 0 && ms <= maxPluginTimeoutMs);
}

const rootName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

function checkSigstore({ trust }: PartialConfig, complain: Complain): void {
  if (trust?.sigstore === undefined) return;
  const { root, roots = {} } = trust.sigstore;
  // One that can't be read is there all the same.
  const isEmpty = !('root' in trust.sigstore) && Object.keys(roots).length === 0;
  if (isEmpty) complain('trust.sigstore', 'has no root');
  checkRootSource(root, 'trust.sigstore.root', complain);
  for (const [name, source] of Object.entries(roots)) {
    const path = keyPath('trust.sigstore.roots', name);
    if (!rootName.test(name)) complain(path, 'is no name of letters, digits, `.`, `_` and `-`');
    if (name === 'default') complain(path, 'is what `root` is called: write it there');
    checkRootSource(source, path, complain);
  }
}

function checkVault({ trust }: PartialConfig, complain: Complain): void {
  const { url, plainHttp } = trust?.keyReferences?.vault ?? {};
  checkPlainHttp(url, plainHttp, 'trust.keyReferences.vault', complain);
}

function checkRootSource(
  source: DeepPartial<SigstoreRootConfig> | undefined,
  path: string,
  complain: Complain,
): void {
  if (typeof source !== 'object' || !('tuf' in source)) return;
  const { url, plainHttp } = source.tuf ?? {};
  checkPlainHttp(url, plainHttp, `${path}.tuf`, complain);
}

function checkAdminToken({ admin }: PartialConfig, complain: Complain): void {
  const token = admin?.token?.reveal();
  if (token === undefined) return;
  if (token.length < minTokenLength) {
    complain('admin.token', `has fewer than ${minTokenLength} characters`);
  }
  if (!/^[\x21-\x7e]+$/.test(token)) {
    complain('admin.token', 'must be of letters, digits and signs that a header may carry');
  }
}

function checkStateKeys({ state }: PartialConfig, complain: Complain): void {
  const texts = (state?.keys ?? []).flatMap((key) => (key === undefined ? [] : [key.reveal()]));
  for (const [index, text] of texts.entries()) {
    if (text.length < minStateKeyLength) {
      complain('state.keys', `key ${index + 1} has fewer than ${minStateKeyLength} characters`);
    }
  }
  if (new Set(texts).size < texts.length) complain('state.keys', 'has the same key twice');
}

function checkRedis({ redis, state }: PartialConfig, complain: Complain): void {
  if (redis === undefined) return;
  if (state === undefined) {
    const make = 'make one with `openssl rand -hex 32` and give it to every replica';
    complain('redis', `needs state.keys, which seal what replicas share: ${make}`);
  }
  if ('url' in redis && redis.url?.startsWith('redis:') === true && redis.tls !== undefined) {
    complain('redis.tls', 'has no meaning beside a redis: url: write rediss:');
  }
}
