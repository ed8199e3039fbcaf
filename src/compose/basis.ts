import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { TrustPolicy } from '../policies/policy.ts';
import type { TrustMaterial } from '../trust/trust-material.ts';
import type { VerificationBasis } from '../verifier/verifier.ts';
import { StartupError } from './startup-error.ts';
import { fingerprintOf } from './watch-files.ts';

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
  /**
   * Files and folders whose change asks for a reload, each with its fingerprint from before it was
   * read: what changes while it is read is another one.
   */
  files(): ReadonlyMap<string, string>;
  /** Why the last reload failed, while an older state stays in force. */
  problem(): string | undefined;
  /** Never rejects: what does not load is logged and counted, and the last good one stays. */
  reload(): Promise<void>;
}

export interface BasisDependencies {
  /** Names each file or folder, and waits, before it reads it. Throws `StartupError`. */
  readonly load: (saw: Saw) => Promise<LoadedBasis>;
  /** Asked whether what was loaded anew may come into force. Throws `StartupError`. */
  readonly admit?: (loaded: LoadedBasis) => Promise<void>;
  /** Told of each state that came into force. */
  readonly onLoaded: (loaded: LoadedBasis) => void;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Takes down a file or folder that is about to be read. */
export type Saw = (path: string) => Promise<void>;

export function assertComplete({ problems }: Pick<LoadedBasis, 'problems'>): void {
  if (problems.length > 0) throw new StartupError('TRUST_STORE_UNUSABLE', problems);
}

/** Loads for the first time; throws `StartupError`. */
export async function openBasis(dependencies: BasisDependencies): Promise<Basis> {
  const { load, admit, onLoaded, metrics, log } = dependencies;
  let files = new Map<string, string>();
  const first = await load(recordIn(files));
  assertComplete(first);
  let current: VerificationBasis = { ...first, generation: 1 };
  let problem: string | undefined;
  onLoaded(first);

  const reloadOnce = async (): Promise<void> => {
    const seen = new Map<string, string>();
    try {
      const loaded = await load(recordIn(seen));
      await admit?.(loaded);
      files = seen;
      current = { ...loaded, generation: current.generation + 1 };
      problem = undefined;
      onLoaded(loaded);
      // An anchor that is taken away must end trust at once: the last good state would keep it.
      for (const because of loaded.problems) log.warn({ because }, 'a trust store is missing');
      log.info({ policy: loaded.policy.digest }, 'policy and trust material reloaded');
    } catch (error) {
      // What is missing or broken may be mended in a file that only the new state names.
      await Promise.all([...files.keys()].filter((path) => !seen.has(path)).map(recordIn(seen)));
      files = seen;
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
    files: () => files,
    problem: () => problem,
    reload: () => {
      queue = queue.then(reloadOnce);
      return queue;
    },
  };
}

function recordIn(files: Map<string, string>): Saw {
  return async (path) => void files.set(path, await fingerprintOf(path));
}
