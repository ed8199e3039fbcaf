import type { Config } from '../config/schema.ts';
import { missingStores } from '../trust/load.ts';
import { loadBasis } from './load-basis.ts';
import { storesOf } from './policy-stores.ts';

export interface PolicyCheck {
  readonly file: string;
  /** SHA-256 over the policy's meaning. */
  readonly digest: string;
  readonly rules: number;
  /** What loads and is probably not meant, one line each. */
  readonly findings: readonly string[];
}

/**
 * Loads a policy as `serve` would, with the trust store of the configuration. `file` stands in for
 * the configured one. Throws `StartupError` with every problem.
 */
export async function checkPolicy(config: Config, file: string | undefined): Promise<PolicyCheck> {
  const trustPolicy = file ?? config.trustPolicy;
  const { policy, trust } = await loadBasis({ ...config, trustPolicy }, () => undefined);
  const missing = missingStores(storesOf(policy), trust);
  const findings = missing.map(
    (store) =>
      `${trustPolicy}: trust store ${store} is not there or empty: its signers can not count`,
  );
  return { file: trustPolicy, digest: policy.digest, rules: policy.rules.length, findings };
}
