import type { Config } from '../config/schema.ts';
import type { Clock } from '../kernel/clock.ts';
import { lintTrustPolicy, type PolicyFinding } from '../policies/lint.ts';
import type { LoadedTrustPolicy } from '../policies/trust-policy.ts';
import { missingStores } from '../trust/load.ts';
import type { TrustMaterial } from '../trust/trust-material.ts';
import { loadTrustStore } from './load-basis.ts';
import { readPolicyFile } from './policy-file.ts';
import { storesOf } from './policy-stores.ts';

export interface PolicyCheck {
  readonly file: string;
  /** SHA-256 over the policy's meaning. */
  readonly digest: string;
  readonly rules: number;
  /** What loads and is probably not meant. */
  readonly findings: readonly PolicyFinding[];
}

/**
 * Loads a policy as `serve` would and looks for what is doubtful in it. With a configuration it is
 * also held against that one's upstreams and trust store. Throws `StartupError` with every problem.
 */
export async function checkPolicy(
  file: string,
  config: Config | undefined,
  clock: Clock,
): Promise<PolicyCheck> {
  const policy = await readPolicyFile(file, () => undefined);
  const at = clock.now();
  const findings =
    config === undefined
      ? lintTrustPolicy(policy, { at })
      : [
          ...lintTrustPolicy(policy, { at, upstreams: Object.keys(config.upstreams) }),
          ...lintStores(policy, await loadTrustStore(config.trust.store)),
        ];
  return { file, digest: policy.digest, rules: policy.rules.length, findings };
}

function lintStores(policy: LoadedTrustPolicy, trust: TrustMaterial): readonly PolicyFinding[] {
  return missingStores(storesOf(policy), trust).map((store) => ({
    where: `trust store ${store}`,
    message: 'is not there or empty: no signature by its signers can be trusted',
  }));
}
