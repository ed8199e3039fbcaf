import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { TrustPolicy } from '../policies/policy.ts';
import type { TrustMaterial } from '../trust/trust-material.ts';
import type { VerificationBasis } from '../verifier/verifier.ts';
import { StartupError } from './startup-error.ts';

/** Policy and trust material as loaded together. */
export interface LoadedBasis {
  readonly policy: TrustPolicy;
  readonly trust: TrustMaterial;
  /** Trust stores that the policy refers to and that hold nothing, each told in a sentence. */
  readonly problems: readonly string[];
}

/** The policy and trust material in force, which a reload replaces whole or not at all. */
export interface Basis {
  current(): VerificationBasis;
  /** Files and folders whose change asks for a reload. */
  files(): readonly string[];
  /** Why the last reload failed, while an older state stays in force. */
  problem(): string | undefined;
  /** Never rejects: what does not load is logged and counted, and the last good one stays. */
  reload(): Promise<void>;
}

export interface BasisDependencies {
  /** Names each file or folder before it reads it. Throws `StartupError`. */
  readonly load: (saw: (path: string) => void) => Promise<LoadedBasis>;
  /** Told of each state that came into force. */
  readonly onLoaded: (loaded: LoadedBasis) => void;
  readonly metrics: Metrics;
  readonly log: Log;
}

export function assertComplete({ problems }: Pick<LoadedBasis, 'problems'>): void {
  if (problems.length > 0) throw new StartupError('TRUST_STORE_UNUSABLE', problems);
}

/** Loads for the first time; throws `StartupError`. */
export async function openBasis(dependencies: BasisDependencies): Promise<Basis> {
  const { load, onLoaded, metrics, log } = dependencies;
  let files = new Set<string>();
  const first = await load((path) => files.add(path));
  assertComplete(first);
  let current: VerificationBasis = { ...first, generation: 1 };
  let problem: string | undefined;
  onLoaded(first);

  const reloadOnce = async (): Promise<void> => {
    const seen = new Set<string>();
    try {
      const loaded = await load((path) => seen.add(path));
      files = seen;
      current = { ...loaded, generation: current.generation + 1 };
      problem = undefined;
      onLoaded(loaded);
      // An anchor that is taken away must end trust at once: the last good state would keep it.
      for (const because of loaded.problems) log.warn({ because }, 'a trust store is missing');
      log.info({ policy: loaded.policy.digest }, 'policy and trust material reloaded');
    } catch (error) {
      // What is missing or broken may be mended in a file that only the new state names.
      files = new Set([...files, ...seen]);
      problem = error instanceof Error ? error.message : String(error);
      const what =
        error instanceof StartupError && error.code === 'POLICY_UNUSABLE' ? 'policy' : 'trust';
      metrics.count('assay_reload_failures_total', { what });
      log.error({ what, error }, 'a change does not load; the last good one stays in force');
    }
  };

  // One after the other, so that the last change wins.
  let queue = Promise.resolve();
  return {
    current: () => current,
    files: () => [...files],
    problem: () => problem,
    reload: () => {
      queue = queue.then(reloadOnce);
      return queue;
    },
  };
}
