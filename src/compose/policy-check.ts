import type { Config } from '../config/schema.ts';
import type { Clock } from '../kernel/clock.ts';
import { lintTrustPolicy, type PolicyFinding } from '../policies/lint.ts';
import { checkTrustStore } from './load-basis.ts';
import { readPolicyFile } from './policy-file.ts';

export interface PolicyCheck {
  readonly file: string;
  /** SHA-256 over the policy's meaning. */
  readonly digest: string;
  /** As the policy says it. */
  readonly revision?: number;
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
  const policy = await readPolicyFile(file, async () => undefined, config);
  const at = clock.now();
  if (config !== undefined) await checkTrustStore(config, policy);
  const upstreams = config && Object.keys(config.upstreams);
  const findings = lintTrustPolicy(policy, { at, ...(upstreams !== undefined && { upstreams }) });
  const { digest, revision, rules } = policy;
  const said = revision === undefined ? {} : { revision };
  return { file, digest, ...said, rules: rules.length, findings };
}
