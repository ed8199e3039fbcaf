import type { Config } from '../config/schema.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { TrustPolicy } from '../policies/policy.ts';
import type { LoadedTrustPolicy } from '../policies/trust-policy.ts';
import { type LoadedSigstoreRoot, loadSigstoreRoot } from '../trust/sigstore/load-root.ts';
import type { TrustMaterial } from '../trust/trust-material.ts';
import type { Saw } from './basis.ts';
import { configuredName, readRootSource, rootConfigs } from './sigstore-sources.ts';
import { StartupError } from './startup-error.ts';

/**
 * The trust material with the Sigstore roots of the configuration, as they are on this machine: no
 * socket is opened. Throws `StartupError` with every problem.
 */
export async function withSigstoreRoots<Trust extends TrustMaterial>(
  trust: Trust,
  config: Pick<Config, 'trust' | 'storage'>,
  saw: Saw,
): Promise<Trust> {
  const roots = await loadRoots(config, saw);
  const rootOf = (name: string): LoadedSigstoreRoot | undefined =>
    roots.get(configuredName(config, name) ?? name);
  return {
    ...trust,
    sigstoreRoot: rootOf,
    sigstoreRootDigest: (name: string) => rootOf(name)?.root.digest ?? 'no root',
  };
}

async function loadRoots(
  config: Pick<Config, 'trust' | 'storage'>,
  saw: Saw,
): Promise<ReadonlyMap<string, LoadedSigstoreRoot>> {
  const roots = new Map<string, LoadedSigstoreRoot>();
  const problems: string[] = [];
  const mode = config.trust.offline ? 'offline' : 'refreshed';
  for (const [name, source] of rootConfigs(config)) {
    try {
      const root = await loadSigstoreRoot(await readRootSource(name, source, config, saw), {
        mode,
      });
      if (root !== undefined) roots.set(name, root);
    } catch (error) {
      const isTold = error instanceof StartupError;
      problems.push(isTold ? error.message : `the Sigstore root ${name}: ${messageOf(error)}`);
    }
  }
  if (problems.length > 0) throw new StartupError('TRUST_STORE_UNUSABLE', problems);
  return roots;
}

/** What keeps the policy from relying upon its Sigstore roots, each in a sentence. */
export function describeRootProblems(
  config: Pick<Config, 'trust'>,
  policy: Pick<LoadedTrustPolicy, 'rules' | 'identities'>,
): readonly string[] {
  return [...describeMissingRoots(config, policy), ...describeAgelessRoots(config, policy)];
}

/** Of each Sigstore root that the policy relies upon and that is not configured, a sentence. */
export function describeMissingRoots(
  config: Pick<Config, 'trust'>,
  policy: Pick<TrustPolicy, 'rules'>,
): readonly string[] {
  const named = policy.rules.flatMap((rule) => (rule.kind === 'require' ? rule.sigstoreRoots : []));
  return [...new Set(named)]
    .toSorted()
    .filter((name) => configuredName(config, name) === undefined)
    .map((name) => `the trust policy refers to the Sigstore root ${name}, and ${absence(config)}`);
}

/** Of each identity that asks how old a root is that is a file, a sentence: nobody vouches for one. */
function describeAgelessRoots(
  config: Pick<Config, 'trust'>,
  { identities }: Pick<LoadedTrustPolicy, 'identities'>,
): readonly string[] {
  return [...identities].flatMap(([name, identity]) => {
    if (identity.kind !== 'sigstore') return [];
    const { root, maxRootAgeMs } = identity.requirement;
    if (root === undefined || maxRootAgeMs === undefined) return [];
    const source = rootConfigs(config).get(configuredName(config, root) ?? root);
    if (typeof source !== 'object' || !('file' in source)) return [];
    return [`identity ${name} has maxRootAge, and its Sigstore root ${root} is a file`];
  });
}

function absence(config: Pick<Config, 'trust'>): string {
  const names = [...rootConfigs(config).keys()];
  if (names.length === 0) return 'trust.sigstore is not configured';
  return `trust.sigstore has ${names.join(', ')}`;
}

/** Shows how old each root is and when it ends. */
export function publishSigstoreRoots(
  config: Pick<Config, 'trust'>,
  trust: TrustMaterial,
  metrics: Metrics,
): void {
  for (const root of rootConfigs(config).keys()) {
    const { asOf, expiresAt } = trust.sigstoreRoot(root) ?? {};
    // 0: never, as far as is known.
    const verified = (asOf?.getTime() ?? 0) / 1000;
    metrics.set('assay_sigstore_root_verified_timestamp_seconds', { root }, verified);
    if (expiresAt === undefined) continue;
    const seconds = expiresAt.getTime() / 1000;
    metrics.set('assay_sigstore_root_expiry_timestamp_seconds', { root }, seconds);
  }
}
