import { join } from 'node:path';
import type { ReadinessProbe } from '../admin/health.ts';
import type { Config } from '../config/schema.ts';
import { PolicyRevisionError } from '../gate/gate-error.ts';
import { openPolicyGuard, type PolicyGuard } from '../gate/policy-guard.ts';
import { makeKeptMark, makeSharedMark, maxMarkBytes } from '../gate/policy-mark.ts';
import { makeDurableFile } from '../storage/durable-file.ts';
import { makeTurns } from '../storage/turns.ts';
import type { Basis, LoadedBasis } from './basis.ts';
import { replicaLimits } from './limits.ts';
import { repeat } from './repeat.ts';
import { StartupError } from './startup-error.ts';
import { makeStorageFolder } from './state-folder.ts';
import type { State } from './state.ts';
import type { Observed } from './verifier.ts';

export type SharedMark = Pick<State, 'store' | 'seal'>;

/** What keeps older revisions of the policy out, before it looks by itself. Throws `StartupError`. */
export async function openConfiguredGuard(
  { storage }: Pick<Config, 'storage'>,
  { store, seal }: SharedMark,
  basis: Pick<Basis, 'current' | 'reload'> | undefined,
  observed: Observed,
): Promise<PolicyGuard> {
  await makeStorageFolder(storage.path);
  const file = makeDurableFile(join(storage.path, 'policy-revision'), maxMarkBytes);
  const opening = openPolicyGuard({
    ...observed,
    shared: makeSharedMark(store, seal),
    kept: { ...makeKeptMark(file, seal), path: file.path },
    inForce: () => basis?.current().policy.revision,
    onSetBack: () => void basis?.reload(),
    graceMs: replicaLimits.policyGraceMs,
    inTurn: makeTurns(),
  });
  return await asStartupError(opening, 'STATE_UNUSABLE');
}

/** A policy that may come into force by its revision. Throws `StartupError`. */
export async function admitPolicy(
  guard: Pick<PolicyGuard, 'admit'>,
  { policy }: Pick<LoadedBasis, 'policy'>,
): Promise<void> {
  await asStartupError(guard.admit(policy.revision), 'POLICY_UNUSABLE');
}

/**
 * Refuses a start with an older revision than was in force; then looks again and again, until
 * `opened` is closed. Throws `StartupError`.
 */
export async function startGuard(
  guard: PolicyGuard,
  basis: Pick<Basis, 'current'>,
  opened: AsyncDisposableStack,
): Promise<void> {
  await asStartupError(guard.admitFirst(basis.current().policy.revision), 'POLICY_UNUSABLE');
  const rounds = repeat(() => guard.look(), replicaLimits.beatMs);
  opened.defer(() => rounds.close());
}

/** One that is behind for a moment is told; for longer, it decides nothing. */
export function makeGuardProbe(guard: PolicyGuard): ReadinessProbe {
  return {
    name: 'policy revision',
    async check() {
      const held = guard.heldBack();
      if (held !== undefined) return { ok: false, says: held };
      const { floor, ceiling } = guard.mark();
      const from = floor < 0 ? 'any' : `from ${floor}`;
      const known = floor === ceiling ? from : `${from}, of which ${ceiling} was the highest`;
      return { ok: true, says: guard.behind() ?? `may be ${known}` };
    },
  };
}

async function asStartupError<T>(
  work: Promise<T>,
  code: 'STATE_UNUSABLE' | 'POLICY_UNUSABLE',
): Promise<T> {
  return work.catch((cause: unknown) => {
    if (!(cause instanceof PolicyRevisionError)) throw cause;
    throw new StartupError(code, cause.message, { cause });
  });
}
