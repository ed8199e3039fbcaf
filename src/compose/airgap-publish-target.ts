import { AirgapError } from '../airgap/airgap-error.ts';
import type { Config } from '../config/schema.ts';
import { quotedUrl } from '../kernel/quoted.ts';
import {
  parseRepositoryPath,
  type Repository,
  type RepositoryPath,
  scopeOf,
} from '../oci/repository.ts';
import type { PushOptions } from '../upstream/push-target.ts';
import { StartupError } from './startup-error.ts';
import { readRemoteOptions } from './upstreams.ts';
import type { Address } from './listen.ts';

/** Where what is published goes. */
export interface PublishDestination {
  /** Without user information, as it is told. */
  readonly url: string;
  readonly options: Omit<PushOptions, 'onSent'>;
  /** `PREFIX/UPSTREAM/PATH`. Throws a `TypeError` where that is no name of a repository. */
  readonly targetOf: (repository: Repository) => RepositoryPath;
}

export interface DestinationWish {
  /** `https://HOST[:PORT][/PREFIX]`; undefined: `airgap.publish.url`. */
  readonly to: string | undefined;
  /** Permits `http://` in it. */
  readonly plainHttp: 'allowed' | undefined;
}

/**
 * Reads where to push. What the configuration has of credentials and certificates is for the one
 * origin that it names. Throws `StartupError`, and `AirgapError` (DESTINATION_INVALID) where it is
 * the wish that names no registry.
 */
export async function readDestination(
  config: Config,
  { to, plainHttp }: DestinationWish,
): Promise<PublishDestination> {
  const configured = config.airgap?.publish;
  const said = to === undefined ? configuredKey : '--to';
  const { origin, prefix } = readRegistryUrl(to ?? configured?.url, said);
  const isConfigured = configured !== undefined && new URL(configured.url).origin === origin;
  const remote = isConfigured ? { ...configured, url: origin } : { url: origin };
  const permitted = plainHttp ?? (isConfigured ? configured.plainHttp : undefined);
  if (origin.startsWith('http:') && permitted === undefined) {
    const message = `${origin} is plain http, which is used only with --plain-http`;
    throw refuse(said, message);
  }
  const { host } = new URL(origin);
  // A live server beside us is none of the hosts that anybody may send us to.
  const ownListeners = (): readonly Address[] => [config.listen, config.admin];
  const named = { name: host, where: 'airgap.publish', ownListeners };
  const options = await readRemoteOptions(named, remote, config);
  return {
    url: prefix === '' ? origin : `${origin}/${prefix}`,
    options: { ...options, plainHttp: permitted },
    targetOf: makeTargetNames(prefix),
  };
}

const configuredKey = 'airgap.publish.url';

type Said = '--to' | typeof configuredKey;

function refuse(said: Said, message: string): AirgapError | StartupError {
  return said === '--to'
    ? new AirgapError('DESTINATION_INVALID', message)
    : new StartupError('UPSTREAM_UNUSABLE', message);
}

function readRegistryUrl(
  text: string | undefined,
  said: Said,
): { readonly origin: string; readonly prefix: string } {
  if (text === undefined) {
    const message = 'nothing says where to publish: give --to, or airgap.publish.url';
    throw new AirgapError('DESTINATION_INVALID', message);
  }
  const url = /^https?:\/\/[\x21-\x7e]{1,1000}$/.test(text) ? URL.parse(text) : null;
  if (url === null || url.username !== '' || url.password !== '' || /[?#\\]/.test(text)) {
    // User information is a secret of somebody.
    const shown = text.includes('@') ? said : `${said} ${quotedUrl(text)}`;
    const message = `${shown} is no registry: write https://HOST, or https://HOST/PREFIX`;
    throw refuse(said, message);
  }
  const prefix = url.pathname.replace(/^\/|\/$/g, '');
  if (prefix !== '' && parseRepositoryPath(prefix) === undefined) {
    throw refuse(said, `the prefix of ${quotedUrl(text)} is no name of a repository`);
  }
  return { origin: url.origin, prefix };
}

/** A port in an upstream's key has a hyphen there; no two upstreams may become one by that. */
function makeTargetNames(prefix: string): PublishDestination['targetOf'] {
  const upstreams = new Map<string, string>();
  return (repository) => {
    const { upstream, path } = repository;
    const segment = upstream.replace(':', '-');
    const taken = upstreams.get(segment) ?? upstream;
    const name = parseRepositoryPath([prefix, segment, path].filter((part) => part).join('/'));
    if (name === undefined || taken !== upstream) {
      throw new TypeError(`${scopeOf(repository)} has no name of its own in the registry`);
    }
    upstreams.set(segment, upstream);
    return name;
  };
}
