import type { DenyAccess } from '../compose/deny-access.ts';
import type { WrittenTarget } from '../verdict/denial-wish.ts';
import type { CommandOption, GivenOptions, Invocation } from './command.ts';
import { findConfig, findConfigIfAny } from './find-config.ts';
import { UsageError } from './usage-error.ts';

/** How a list is reached that this machine has no state of. */
export const accessOptions: readonly CommandOption[] = [
  {
    name: 'admin',
    value: 'URL',
    does: 'over the admin API of a replica, such as http://10.0.0.7:5001',
  },
  {
    name: 'token-file',
    value: 'FILE',
    does: 'its token; unless given, admin.token of the configuration',
  },
];

export const targetOptions: readonly CommandOption[] = [
  { name: 'digest', value: 'DIGEST', does: 'a manifest or a blob, or a signature' },
  {
    name: 'key',
    value: 'FINGERPRINT',
    does: 'SHA-256 of a public key or certificate, of a CA too; 64 hex digits',
  },
  { name: 'identity', value: 'SUBJECT', does: 'the subject of certificates, exactly' },
  { name: 'issuer', value: 'ISSUER', does: 'their issuer, alone or with --identity' },
  { name: 'repository', value: 'NAME', does: 'everything in docker.io/library/nginx' },
];

export function targetOf(options: GivenOptions): WrittenTarget {
  const { digest, key, identity, issuer, repository } = options as Readonly<Record<string, string>>;
  return { digest, key, identity, issuer, repository };
}

/** Opens the list, through the state or through the admin API, for one command. */
export async function withDenyList<T>(
  invocation: Pick<Invocation, 'config' | 'options'>,
  work: (access: DenyAccess) => Promise<T>,
): Promise<T> {
  const access = await openAccess(invocation);
  try {
    return await work(access);
  } finally {
    await access.close();
  }
}

async function openAccess({
  config: named,
  options,
}: Pick<Invocation, 'config' | 'options'>): Promise<DenyAccess> {
  const { admin, 'token-file': tokenFile } = options;
  // Loaded when they are needed: `assay help` should not wait for them.
  const { loadConfig } = await import('../config/load.ts');
  if (typeof admin !== 'string') {
    if (tokenFile !== undefined) throw new UsageError('--token-file belongs to --admin');
    const { openDenyAccess } = await import('../compose/deny-access.ts');
    return openDenyAccess(await loadConfig(findConfig(named)));
  }
  if (!/^https?:\/\/[^/?#@]+\/?$/.test(admin)) {
    throw new UsageError('--admin takes a URL such as http://10.0.0.7:5001');
  }
  const { openRemoteDenyAccess, readToken } = await import('../compose/deny-remote.ts');
  if (typeof tokenFile === 'string') {
    return openRemoteDenyAccess(admin, await readToken(tokenFile));
  }
  const file = findConfigIfAny(named);
  const token = file === undefined ? undefined : (await loadConfig(file)).admin.token;
  if (token === undefined) {
    throw new UsageError('--admin needs --token-file FILE, or admin.token in the configuration');
  }
  return openRemoteDenyAccess(admin, token.reveal());
}
