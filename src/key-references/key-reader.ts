import type { Clock } from '../kernel/clock.ts';
import { readAwsKey } from './aws-key.ts';
import { type KeyServiceAccess, notConfigured } from './key-service.ts';
import { readKubernetesKey } from './kubernetes-secret.ts';
import { readVaultKey, type VaultSettings } from './vault-key.ts';

export interface KeyReaderOptions extends KeyServiceAccess {
  readonly clock: Clock;
  readonly vault?: VaultSettings | undefined;
  /** No service is asked; each key that needs one is an error that says so. */
  readonly isOffline: boolean;
}

/**
 * The public key in PEM that a URI names; undefined where its scheme is none that can be asked.
 * Throws `KeyReferenceError`.
 */
export type KeyReader = (uri: string) => Promise<string | undefined>;

/** For one load of a policy: each URI is asked for once, however often it is named. */
export function makeKeyReader({
  clock,
  vault = {},
  isOffline,
  ...access
}: KeyReaderOptions): KeyReader {
  const readers = new Map<string, (uri: string) => Promise<string>>([
    ['k8s', (uri) => readKubernetesKey(uri, access)],
    ['hashivault', (uri) => readVaultKey(uri, access, vault)],
    ['awskms', (uri) => readAwsKey(uri, access, clock)],
  ]);
  const asked = new Map<string, Promise<string>>();
  return async (uri) => {
    const read = readers.get(uri.slice(0, Math.max(0, uri.indexOf(':'))));
    if (read === undefined) return undefined;
    if (isOffline) {
      throw notConfigured('trust.offline is true, and nobody is asked then: name a file instead');
    }
    const answer = asked.get(uri) ?? read(uri);
    asked.set(uri, answer);
    return await answer;
  };
}
