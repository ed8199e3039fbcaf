import { isIPv6 } from 'node:net';
import { canonicalAddress, isInBlocks, makeBlocks } from '../upstream/address.ts';

/** Whose a connection is, as far as can be told. */
export interface Caller {
  /** Of the socket; undefined once it is closed. */
  readonly address: string | undefined;
  /** The header `X-Forwarded-For`, which anybody may have written. */
  readonly forwardedFor: string | undefined;
}

/** Nobody has a name that long; the rest of the header is somebody's invention. */
const maxForwarded = 32;

/**
 * Names the client that limits go by: the address that connects, or where that is one of our own
 * proxies, the last address that none of our proxies has added for another one of them. An IPv6
 * address counts as its network of 64 bits, all of which one client has.
 */
export function makeClientOf(trustedProxies: readonly string[]): (caller: Caller) => string {
  const isProxy = makeIsIn(trustedProxies);
  return ({ address: connected = '', forwardedFor }) => {
    let client = canonicalAddress(withoutZone(connected));
    if (client === undefined) return 'unknown';
    const hops = forwardedFor?.split(',').slice(-maxForwarded) ?? [];
    while (isProxy(client)) {
      const before = canonicalAddress(withoutPort(hops.pop() ?? ''));
      if (before === undefined) break;
      client = before;
    }
    return isIPv6(client) ? networkOf(client) : client;
  };
}

/** Whether a connection comes from one of our own proxies, by its address. */
export function makeIsProxy(
  trustedProxies: readonly string[],
): (address: string | undefined) => boolean {
  const isIn = makeIsIn(trustedProxies);
  return (connected = '') => {
    const address = canonicalAddress(withoutZone(connected));
    return address !== undefined && isIn(address);
  };
}

function makeIsIn(blocks: readonly string[]): (address: string) => boolean {
  const made = makeBlocks(blocks);
  return (address) => isInBlocks(address, made);
}

function withoutZone(address: string): string {
  return address.replace(/%.*$/, '');
}

/** Some proxies add the port: `192.0.2.1:50000`, `[2001:db8::1]:50000`. */
function withoutPort(hop: string): string {
  const text = hop.trim();
  const [, bracketed, plain] = /^(?:\[([^\]]*)\](?::\d+)?|([0-9.]+):\d+)$/.exec(text) ?? [];
  return bracketed ?? plain ?? text;
}

/** The first four groups; a canonical address leaves out zeros at one place at most. */
function networkOf(canonical: string): string {
  const [head = '', tail] = canonical.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return `${[...before, ...zeros, ...after].slice(0, 4).join(':')}::/64`;
}
