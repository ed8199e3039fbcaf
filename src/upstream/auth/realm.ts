import { isIP } from 'node:net';
import { quotedUrl } from '../../kernel/quoted.ts';
import { UpstreamError } from '../upstream-error.ts';

export interface RealmRules {
  /** The upstream's own origin. */
  readonly origin: string;
  /** `HOST` or `HOST:PORT` that the operator allows besides. */
  readonly realmAllow: readonly string[];
}

/** Registries whose tokens come from elsewhere, as they publish it themselves. */
const builtIn: Readonly<Record<string, readonly string[]>> = {
  'https://registry-1.docker.io': ['auth.docker.io'],
};

const maxRealmLength = 2048;

/**
 * The URL of a token server that a challenge may send us to with credentials (CVE-2026-33540 and
 * its siblings): https, or http where the upstream itself is plain http; no user information; a
 * host that is the upstream's own, one of `realmAllow`, or below or above it in the DNS by names
 * of at least two labels. Siblings (`registry.example`, `auth.example`) are not believed, as
 * nothing here knows the public suffixes: they need `realmAllow`. Addresses and `localhost` are
 * allowed only as the very same host and port. Where the host's addresses lie is checked when it
 * is dialled.
 */
export function checkRealm(untrusted: string, rules: RealmRules): URL {
  const own = new URL(rules.origin);
  // What a URL parser would mend is refused, so that nobody reads another host out of it.
  if (!/^https?:\/\/[\x21-\x7e]+$/i.test(untrusted) || untrusted.length > maxRealmLength) {
    throw astray(untrusted, 'is no http URL');
  }
  const realm = URL.parse(untrusted);
  if (realm === null || untrusted.includes('\\')) throw astray(untrusted, 'is no URL');
  if (realm.username !== '' || realm.password !== '' || untrusted.includes('@')) {
    throw new UpstreamError('UPSTREAM_LEADS_ASTRAY', 'the token realm has user information');
  }
  if (realm.hash !== '') throw astray(untrusted, 'has a fragment');
  if (realm.protocol === 'http:' && own.protocol !== 'http:') {
    throw astray(untrusted, 'is not https');
  }
  if (!isAllowedHost(realm, own, rules.realmAllow)) {
    throw astray(untrusted, `is no host of ${own.host} and not in realmAllow`);
  }
  return realm;
}

function isAllowedHost(realm: URL, own: URL, realmAllow: readonly string[]): boolean {
  if (realm.origin === own.origin) return true;
  const allowed = [...(builtIn[own.origin] ?? []), ...realmAllow];
  if (allowed.some((host) => matchesHost(realm, host))) return true;
  if (!isDomain(realm.hostname) || !isDomain(own.hostname)) return false;
  return isSameOrBelow(realm.hostname, own.hostname) || isSameOrBelow(own.hostname, realm.hostname);
}

/** `HOST` stands for the scheme's own port. */
function matchesHost(realm: URL, host: string): boolean {
  return URL.parse(`${realm.protocol}//${host}`)?.host === realm.host;
}

/** A name of at least two labels; no address, no `localhost`, no trailing dot. */
function isDomain(hostname: string): boolean {
  if (isIP(hostname) > 0 || hostname.startsWith('[')) return false;
  const labels = hostname.split('.');
  return labels.length >= 2 && labels.at(-1) !== 'localhost' && !labels.includes('');
}

function isSameOrBelow(name: string, parent: string): boolean {
  return name === parent || name.endsWith(`.${parent}`);
}

function astray(realm: string, why: string): UpstreamError {
  return new UpstreamError('UPSTREAM_LEADS_ASTRAY', `the token realm ${quotedUrl(realm)} ${why}`);
}
