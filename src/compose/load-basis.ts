import type { Config } from '../config/schema.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import { loadTrustMaterial } from '../trust/load.ts';
import type { TrustMaterial } from '../trust/trust-material.ts';
import type { LoadedBasis } from './basis.ts';
import { readPolicyFile } from './policy-file.ts';
import { StartupError } from './startup-error.ts';

/** Loads the policy and the trust material that a configuration names. Throws `StartupError`. */
export async function loadBasis(
  { trustPolicy, trust: { store } }: Config,
  saw: (path: string) => void,
): Promise<LoadedBasis> {
  saw(store);
  const policy = await readPolicyFile(trustPolicy, saw);
  return { policy, trust: await loadTrustStore(store) };
}

/** Throws `StartupError` with every problem. */
export async function loadTrustStore(folder: string): Promise<TrustMaterial> {
  try {
    return await loadTrustMaterial(folder);
  } catch (cause) {
    const problems = messageOf(cause).split('\n');
    const messages = problems.map((problem) => `the trust store does not load: ${problem}`);
    throw new StartupError('TRUST_STORE_UNUSABLE', messages, { cause });
  }
}
