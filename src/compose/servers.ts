import type { FastifyInstance } from 'fastify';
import type { Readiness, ReadinessProbe } from '../admin/health.ts';
import { makeAdminServer } from '../admin/server.ts';
import type { ForwardClock } from '../airgap/forward-clock.ts';
import type { Config } from '../config/schema.ts';
import { parseRfc3339 } from '../crypto/rfc3339.ts';
import type { DenyReplica } from '../gate/deny-replica.ts';
import { type MadeGate, makeGate } from '../gate/gate.ts';
import type { LookAgain } from '../gate/look-again.ts';
import type { Misses } from '../gate/misses.ts';
import { withStaleness } from '../gate/stale-knowledge.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { MetricsRegistry } from '../observe/metrics.ts';
import type { PinoLog } from '../observe/pino-log.ts';
import { makeServer } from '../routes/server.ts';
import { matching } from '../storage/matching.ts';
import type { RevocationSource } from '../trust/revocation-source.ts';
import { clientsOf } from './admission-control.ts';
import { anchorsInUse } from './anchors.ts';
import type { Basis } from './basis.ts';
import type { Content } from './content.ts';
import { makeDenyProbe } from './deny.ts';
import type { Host } from './host.ts';
import { gateLimits } from './limits.ts';
import { namesOf, readServerTls } from './listen.ts';
import { makeAnchorProbe, makeBasisProbe, makeContentProbe, makeStateProbe } from './readiness.ts';
import type { ReplicaSafety } from './replica-safety.ts';
import { StartupError } from './startup-error.ts';
import type { State } from './state.ts';
import type { Upstreams } from './upstreams.ts';
import { makeConfiguredVerifier } from './verifier.ts';
import type { WorkApart } from './worker-threads.ts';
import { stalenessIn, type Zone } from './zone.ts';

/** What the servers and the gate are made of. */
export interface Parts extends WorkApart {
  readonly clock: ForwardClock;
  readonly log: PinoLog;
  readonly metrics: MetricsRegistry;
  readonly basis: Basis;
  readonly upstreams: Upstreams;
  /** Undefined: nothing comes over an air gap. */
  readonly zone: Zone | undefined;
  readonly revocation: RevocationSource;
  readonly state: State;
  readonly deny: DenyReplica;
  readonly safety: ReplicaSafety;
  readonly lookAgain: LookAgain;
  readonly content: Content;
  readonly misses: Misses;
  /** Undefined: this process is all there is. */
  readonly host: Host | undefined;
}

/** The OCI API over the gate. Throws `StartupError`. */
export async function makeOciServer(
  config: Config,
  gate: MadeGate,
  { log, metrics, clock, misses, zone }: Parts,
): Promise<FastifyInstance> {
  const tls = await readServerTls(config);
  const { clientOf, isProxy, clientLimits } = clientsOf(config);
  const options = {
    clientLimits,
    ...(config.publicUrl !== undefined && { publicUrl: config.publicUrl }),
    ...(tls !== undefined && { tls }),
  };
  try {
    const names = namesOf(config, zone);
    return makeServer({ gate, names, clientOf, isProxy, misses, log, metrics, clock }, options);
  } catch (cause) {
    if (tls === undefined) throw cause;
    const message = `listen.tls: the certificate and key can not be used: ${messageOf(cause)}`;
    throw new StartupError('TLS_UNUSABLE', message, { cause });
  }
}

/** The admin API, of this process or of all of its host. */
export function makeConfiguredAdmin(
  config: Config,
  gate: MadeGate,
  { deny, clock, log, host, metrics }: Parts,
  probes: readonly ReadinessProbe[],
): FastifyInstance {
  const token = config.admin.token?.reveal();
  return makeAdminServer({
    probes: [...probes, ...(host?.told === undefined ? [] : [host.told.probe])],
    metrics: host?.told?.metrics ?? metrics,
    findVerdict: (id) => gate.verdictById(id),
    deny: { replica: deny, token, parseTime: parseRfc3339, clock },
    log,
  });
}

/** What this process by itself has to be ready. */
export function makeProbes(
  { basis, state, deny, safety, content, clock, zone, host }: Parts,
  isDraining: () => boolean,
): readonly ReadinessProbe[] {
  const serving = async (): Promise<Readiness> =>
    isDraining() ? { ok: false, says: 'shutting down' } : { ok: true, says: 'yes' };
  return [
    { name: 'serving', check: serving },
    makeBasisProbe(basis),
    makeAnchorProbe(() => anchorsInUse(basis.current()), clock),
    makeStateProbe(state.local, clock, host?.worker),
    ...(state.probe === undefined ? [] : [state.probe]),
    makeDenyProbe(deny),
    ...(zone === undefined ? [] : [zone.probe]),
    ...safety.probes,
    makeContentProbe(content.store),
    ...(content.shared === undefined ? [] : [content.shared.probe]),
  ];
}

/** The gate by the configuration. */
export function makeConfiguredGate(config: Config, parts: Parts): MadeGate {
  const { basis, upstreams, zone, state, deny, safety, ...others } = parts;
  const observed = { ...others, denied: deny.list };
  const { tag, staleTag, untrusted } = config.lifetimes;
  const gate = makeGate({
    ...observed,
    source: (upstream) => upstreams.get(upstream),
    verifier: makeConfiguredVerifier(config, () => basis.current(), upstreams, observed),
    state: state.sealed,
    fleet: state.fleet,
    denyList: deny.list,
    heldBack: () => safety.heldBack(),
    matching,
    lifetimes: { tagMs: tag.ms, staleTagMs: staleTag.ms, absentMs: untrusted.ms },
    limits: gateLimits,
  });
  if (zone === undefined) return gate;
  return withStaleness(gate, (repository) => stalenessIn(zone, repository), parts.clock);
}
