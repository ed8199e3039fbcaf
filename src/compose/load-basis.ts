import type { Config } from '../config/schema.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import { loadTrustMaterial } from '../trust/load.ts';
import type { LoadedBasis } from './basis.ts';
import { readPolicyFile } from './policy-file.ts';
import { StartupError } from './startup-error.ts';

/** Loads the policy and the trust material that a configuration names. Throws `StartupError`. */
export async function loadBasis(config: Config, saw: (path: string) => void): Promise<LoadedBasis> {
  const policy = await readPolicyFile(config.trustPolicy, saw);
  const folder = config.trust.store;
  saw(folder);
  try {
    return { policy, trust: await loadTrustMaterial(folder) };
  } catch (cause) {
    const messages = messageOf(cause).split('\n');
    throw new StartupError(
      'TRUST_STORE_UNUSABLE',
      messages.map((message) => `the trust store does not load: ${message}`),
      { cause },
    );
  }
}
