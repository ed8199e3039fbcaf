import { keyPath } from '../kernel/source-problem.ts';
import { parseRepositoryPath } from '../oci/repository.ts';
import type { Config, UpstreamConfig } from './schema.ts';

/** Takes down a problem of the key at `path`. */
type Complain = (path: string, message: string) => void;

const hostName = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;
const minStateKeyLength = 32;

/** What no single key can tell: names that refer to others, and settings that exclude others. */
export function checkAcross(config: Config, complain: Complain): void {
  const keys = Object.keys(config.upstreams);
  for (const [key, upstream] of Object.entries(config.upstreams)) {
    checkUpstreamKey(key, complain);
    checkUpstream(upstream, keyPath('upstreams', key), complain);
  }
  for (const [host, key] of Object.entries(config.hosts)) {
    const path = keyPath('hosts', host);
    if (!hostName.test(host)) complain(path, 'is no host name in lower case, without a port');
    if (!keys.includes(key)) complain(path, `is no upstream; upstreams are ${keys.join(', ')}`);
  }
  const { defaultUpstream } = config;
  if (defaultUpstream !== undefined && !keys.includes(defaultUpstream)) {
    complain('defaultUpstream', `is no upstream; upstreams are ${keys.join(', ')}`);
  }
  checkListeners(config, complain);
  checkStateKeys(config, complain);
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

function checkUpstream(upstream: UpstreamConfig, path: string, complain: Complain): void {
  if (!('url' in upstream)) return;
  const { url, plainHttp, ca, clientCertificate } = upstream;
  const isPlain = url.startsWith('http:');
  if (isPlain && plainHttp === undefined) {
    complain(`${path}.url`, 'is http: write https, or say plainHttp: allowed beside it');
  }
  if (!isPlain && plainHttp !== undefined) {
    complain(`${path}.plainHttp`, 'has no meaning beside an https url: remove it');
  }
  if (isPlain && ca !== undefined) complain(`${path}.ca`, 'has no meaning beside an http url');
  if (isPlain && clientCertificate !== undefined) {
    complain(`${path}.clientCertificate`, 'has no meaning beside an http url');
  }
}

/** The admin API must not come out on the public listener. */
function checkListeners({ listen, admin }: Config, complain: Complain): void {
  const isSame = listen.host === admin.host && listen.port === admin.port && listen.port !== 0;
  if (isSame) complain('admin.port', 'is the port that listen has: give it another');
}

function checkStateKeys({ state }: Config, complain: Complain): void {
  const texts = (state?.keys ?? []).map((key) => key.reveal());
  for (const [index, text] of texts.entries()) {
    if (text.length < minStateKeyLength) {
      complain('state.keys', `key ${index + 1} has fewer than ${minStateKeyLength} characters`);
    }
  }
  if (new Set(texts).size < texts.length) complain('state.keys', 'has the same key twice');
}
