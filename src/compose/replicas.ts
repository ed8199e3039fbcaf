import type { Readiness, ReadinessProbe } from '../admin/health.ts';
import { describeFleet, makeFleetWatch } from '../gate/fleet-watch.ts';
import { makeHeartbeats } from '../gate/heartbeat.ts';
import type { Basis } from './basis.ts';
import { replicaLimits } from './limits.ts';
import { ownVersion } from './own-version.ts';
import { repeat } from './repeat.ts';
import type { State } from './state.ts';
import { trustDigestOf } from './trust-digest.ts';
import type { Observed } from './verifier.ts';

/** This process among the replicas that share the state. */
export interface Replica {
  readonly probe: ReadinessProbe;
  /** The others are told of it from now on. */
  announce(): void;
}

export interface ReplicaOptions extends Observed {
  readonly basis: Pick<Basis, 'current'>;
  readonly denyEpoch: () => number;
  /** Of the host that this process belongs to. */
  readonly id: string;
}

/**
 * Compares clocks for the first time, and goes on to compare everything until `opened` is closed.
 * Undefined where no others can share the state.
 */
export async function joinReplicas(
  { replicas, standing, seal }: Pick<State, 'replicas' | 'standing' | 'seal'>,
  { basis, denyEpoch, id, ...observed }: ReplicaOptions,
  opened: AsyncDisposableStack,
): Promise<Replica | undefined> {
  if (replicas === undefined || standing === undefined) return undefined;
  const { schema } = replicas;
  const { beatMs, lifeMs, toldMs } = replicaLimits;
  const version = ownVersion();
  const watch = makeFleetWatch({
    ...observed,
    heartbeats: makeHeartbeats(standing.unfenced, seal, lifeMs),
    sharedTime: () => replicas.time(),
    fence: standing.fence,
    standing: () => {
      const current = basis.current();
      const { digest: policy, revision } = current.policy;
      const trust = trustDigestOf(current);
      return { version, schema, policy, revision, trust, denyEpoch: denyEpoch() };
    },
    id,
    lifeMs,
    toldMs,
  });
  let isAnnounced = false;
  const look = async (): Promise<void> => {
    await (isAnnounced ? watch.beat() : watch.look());
    standing.isMixed = watch.view().different.schema > 0;
  };
  await look();
  const rounds = repeat(look, beatMs);
  opened.defer(async () => {
    await rounds.close();
    if (isAnnounced) await watch.leave();
  });
  return {
    announce() {
      isAnnounced = true;
      rounds.now();
    },
    probe: {
      name: 'replicas',
      async check(): Promise<Readiness> {
        const because = standing.fence.because();
        const words = describeFleet(watch.view());
        if (because === undefined) return { ok: true, says: words };
        // Where one other clock differs, nobody knows whose is wrong; where several agree, this one is.
        const says = `${words}; nothing is written to the shared state: ${because}`;
        return { ok: !standing.fence.isOutvoted(), says };
      },
    },
  };
}
