import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { abortable } from '../kernel/abort.ts';
import { quoted } from '../kernel/quoted.ts';
import { canonicalAddress, isInBlocks, isPublicAddress, makeBlocks } from './address.ts';
import { UpstreamError } from './upstream-error.ts';

/** All addresses of a host, A and AAAA. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Who named the host that is to be dialled: the operator, or an answer from outside. */
export type NamedBy = 'configuration' | 'others';

export interface EgressOptions {
  readonly allowPrivate: readonly string[];
  readonly ownListeners: () => readonly ListenAddress[];
  /** Bounds one look-up. */
  readonly timeoutMs: number;
  readonly resolve?: Resolve | undefined;
}

/** Decides where connections may go (threats: a realm, redirect or link into our own network). */
export interface EgressGuard {
  /**
   * The addresses of the host, of which the connection must use one: it is resolved once, and
   * each address is checked, so that a second look-up with another answer changes nothing.
   */
  admit(hostname: string, port: number, namedBy: NamedBy): Promise<readonly string[]>;
  /** The same for a host that a proxy resolves: only what its name alone tells. */
  admitName(hostname: string, port: number, namedBy: NamedBy): void;
}

export const systemResolve: Resolve = async (hostname) =>
  (await lookup(hostname, { all: true })).map(({ address }) => address);

export function makeEgressGuard(options: EgressOptions): EgressGuard {
  const { resolve = systemResolve, ownListeners, timeoutMs } = options;
  const allowed = makeBlocks(options.allowPrivate);

  const check = (hostname: string, address: string, port: number, namedBy: NamedBy): void => {
    const canonical = canonicalAddress(address);
    if (canonical === undefined) throw astray(hostname, 'has an address that we cannot judge');
    if (ownListeners().some((own) => own.port === port && leadsTo(own.host, canonical))) {
      throw astray(hostname, 'is where we listen ourselves');
    }
    if (namedBy === 'configuration') return;
    if (!isPublicAddress(canonical) && !isInBlocks(canonical, allowed)) {
      throw astray(hostname, `is at ${canonical}, which is neither public nor in allowPrivate`);
    }
  };

  return {
    async admit(hostname, port, namedBy) {
      const addresses =
        isIP(hostname) > 0
          ? [hostname]
          : await abortable(resolve(hostname), AbortSignal.timeout(timeoutMs));
      if (addresses.length === 0) {
        throw new UpstreamError('UPSTREAM_UNREACHABLE', `${quoted(hostname)} has no address`);
      }
      for (const address of addresses) check(hostname, address, port, namedBy);
      return addresses;
    },
    admitName(hostname, port, namedBy) {
      if (isIP(hostname) > 0) check(hostname, hostname, port, namedBy);
      else if (namedBy === 'others' && /(?:^|\.)localhost\.?$/.test(hostname)) {
        throw astray(hostname, 'is this machine');
      }
    },
  };
}

const wildcards = ['0.0.0.0', '::'];

/** Whether a listener on `host` takes connections to the address. */
function leadsTo(host: string, address: string): boolean {
  if (isIP(host) > 0 && !wildcards.includes(host)) return canonicalAddress(host) === address;
  if (wildcards.includes(address) || address === '::1' || address.startsWith('127.')) return true;
  const interfaces = Object.values(networkInterfaces()).flat();
  return interfaces.some(
    (each) => each !== undefined && canonicalAddress(each.address) === address,
  );
}

function astray(hostname: string, why: string): UpstreamError {
  return new UpstreamError('UPSTREAM_LEADS_ASTRAY', `the host ${quoted(hostname)} ${why}`);
}
