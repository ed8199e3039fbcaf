import type { FastifyInstance } from 'fastify';
import type { Config } from '../config/schema.ts';
import { readTextFileBounded } from '../files/read-file.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Names } from '../routes/names.ts';
import type { ServerTls } from '../routes/listener.ts';
import { readFailure } from './read-failure.ts';
import { StartupError } from './startup-error.ts';
import type { Zone } from './zone.ts';
import { maxPemBytes } from './limits.ts';

export interface Address {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

const explanations: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there',
  EACCES: 'listening there is not permitted to this user',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'this host name has no address',
};

/** Listens, and resolves with the port. `key` names the address in an error, as `listen`. */
export async function listenOn(
  server: FastifyInstance,
  { host, port }: Address,
  key: 'listen' | 'admin',
): Promise<number> {
  try {
    await server.listen({ host, port });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    const why = explanations[code] ?? messageOf(cause);
    const message = `${key}: ${hostAndPort(host, port)} can not be used: ${why}`;
    throw new StartupError('ADDRESS_UNUSABLE', message, { cause });
  }
  const address = server.server.address();
  if (address === null || typeof address === 'string') throw new TypeError('no TCP address');
  return address.port;
}

/** As in a URL: an IPv6 address in brackets. */
function hostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

export function urlOf(scheme: 'http' | 'https', host: string, port: number): string {
  return `${scheme}://${hostAndPort(host, port)}`;
}

/** URLs, without a slash at the end. */
export interface Addresses {
  readonly oci: string;
  readonly admin: string;
}

export function addressesOf(
  { listen, admin }: Pick<Config, 'listen' | 'admin'>,
  ociPort: number,
  adminPort: number,
): Addresses {
  const scheme = listen.tls === undefined ? 'http' : 'https';
  return { oci: urlOf(scheme, listen.host, ociPort), admin: urlOf('http', admin.host, adminPort) };
}

/** Which names lead to which upstream; what is imported has its own. */
export function namesOf({ upstreams, hosts, defaultUpstream }: Config, zone?: Zone): Names {
  const named = Object.entries(hosts).map(
    ([host, upstream]) => [host.toLowerCase(), upstream] as const,
  );
  const keys = new Set(Object.keys(upstreams));
  const has = (key: string): boolean => keys.has(key) || zone?.upstreams.has(key) === true;
  return {
    upstreams: zone === undefined ? keys : { has },
    generation: zone && (() => zone.published()?.generation ?? 0),
    hosts: new Map(named),
    defaultUpstream,
  };
}

/** The PEM texts of `listen.tls`. Throws `StartupError`. */
export async function readServerTls({ listen: { tls } }: Config): Promise<ServerTls | undefined> {
  if (tls === undefined) return undefined;
  return {
    certificate: await readPem('certificate', tls.certificate),
    key: await readPem('key', tls.key),
    ...(tls.clientCa !== undefined && { clientCa: await readPem('clientCa', tls.clientCa) }),
  };
}

async function readPem(key: string, file: string): Promise<string> {
  try {
    return await readTextFileBounded(file, maxPemBytes);
  } catch (cause) {
    const message = `listen.tls.${key}: ${file} can not be read: ${readFailure(cause)}`;
    throw new StartupError('TLS_UNUSABLE', message, { cause });
  }
}
