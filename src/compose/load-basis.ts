import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { TrustPolicy } from '../policies/policy.ts';
import { loadTrustMaterial, missingStores } from '../trust/load.ts';
import type { TrustMaterial } from '../trust/trust-material.ts';
import type { LoadedBasis } from './basis.ts';
import { readPolicyFile } from './policy-file.ts';
import { storesOf } from './policy-stores.ts';
import { StartupError } from './startup-error.ts';

/** Loads the policy and the trust material that a configuration names. Throws `StartupError`. */
export async function loadBasis(
  { trustPolicy, trust: { store } }: Config,
  saw: (path: string) => void,
): Promise<LoadedBasis> {
  saw(store);
  const policy = await readPolicyFile(trustPolicy, saw);
  return { policy, trust: await loadTrustStore(store, policy) };
}

/**
 * Loads the trust stores, and makes sure of every one that the policy refers to: without its
 * anchors nothing could be trusted or denied for a good reason. Throws `StartupError` with every
 * problem.
 */
export async function loadTrustStore(folder: string, policy: TrustPolicy): Promise<TrustMaterial> {
  const trust = await readTrustStore(folder);
  const missing = missingStores(storesOf(policy), trust);
  if (missing.length === 0) return trust;
  const messages = missing.map((name) => {
    const place = join(folder, 'x509', ...name.split(':'));
    return `the trust policy refers to trust store ${name}, and ${place} holds no certificate`;
  });
  throw new StartupError('TRUST_STORE_UNUSABLE', messages);
}

async function readTrustStore(folder: string): Promise<TrustMaterial> {
  try {
    return await loadTrustMaterial(folder);
  } catch (cause) {
    const problems = messageOf(cause).split('\n');
    const messages = problems.map((problem) => `the trust store does not load: ${problem}`);
    throw new StartupError('TRUST_STORE_UNUSABLE', messages, { cause });
  }
}
