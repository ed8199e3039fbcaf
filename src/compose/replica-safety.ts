import type { ReadinessProbe } from '../admin/health.ts';
import type { Config } from '../config/schema.ts';
import type { DenyList } from '../gate/deny-list.ts';
import type { DenyReplica } from '../gate/deny-replica.ts';
import type { PolicyGuard } from '../gate/policy-guard.ts';
import { randomHex } from '../kernel/clock.ts';
import type { Basis } from './basis.ts';
import { followDenyList, heldBackByList, openDenyList } from './deny.ts';
import type { Host } from './host.ts';
import { makeGuardProbe, openConfiguredGuard, startGuard } from './policy-guard.ts';
import { joinReplicas } from './replicas.ts';
import type { State } from './state.ts';
import type { Observed } from './verifier.ts';

/** What keeps this process from deciding otherwise than the other replicas may. */
export interface ReplicaSafety {
  readonly deny: DenyReplica;
  readonly guard: PolicyGuard;
  /** Why nothing may be decided at the moment; undefined: it may. */
  heldBack(): string | undefined;
  readonly probes: readonly ReadinessProbe[];
  /** Tells other replicas that this one is there. */
  announce(): void;
}

interface Given {
  readonly state: State;
  readonly basis: Basis;
  readonly host: Pick<Host, 'replica'> | undefined;
}

/**
 * Compares clocks before anything is written to the state, reads the deny list, and refuses an older
 * policy; goes on with all three until `opened` is closed. Throws `StartupError`.
 */
export async function openReplicaSafety(
  config: Config,
  { state, basis, host }: Given,
  observed: Observed,
  opened: AsyncDisposableStack,
): Promise<ReplicaSafety> {
  // Clocks are compared before it is read, which may write.
  let list: DenyList | undefined;
  const id = host?.replica ?? randomHex(8);
  const options = { ...observed, basis, denyEpoch: () => list?.epoch() ?? 0, id };
  const replica = await joinReplicas(state, options, opened);
  const deny = await openDenyList(config, state, observed);
  list = deny.list;
  followDenyList(deny, state, opened);
  const guard = await openConfiguredGuard(config, state, basis, observed);
  await startGuard(guard, basis, opened);
  return {
    deny,
    guard,
    heldBack: () => heldBackByList(deny) ?? guard.heldBack(),
    probes: [makeGuardProbe(guard), ...(replica === undefined ? [] : [replica.probe])],
    announce: () => replica?.announce(),
  };
}
