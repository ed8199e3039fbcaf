import type { FastifyInstance } from 'fastify';
import type { ReadinessProbe } from '../admin/health.ts';
import { makeForwardClock } from '../airgap/forward-clock.ts';
import type { Config } from '../config/schema.ts';
import type { DenyList } from '../gate/deny-list.ts';
import type { MadeGate } from '../gate/gate.ts';
import type { PolicyGuard } from '../gate/policy-guard.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { makeMetrics, type MetricsRegistry } from '../observe/metrics.ts';
import { makePinoLog, type PinoLog } from '../observe/pino-log.ts';
import { makeConfiguredMisses } from './admission-control.ts';
import { watchDrops } from './airgap-drop.ts';
import { watchAnchors } from './anchor-watch.ts';
import { anchorsInUse } from './anchors.ts';
import { publishBasis } from './basis-published.ts';
import { openBasis } from './basis.ts';
import { type Content, openContent } from './content.ts';
import type { Host } from './host.ts';
import { keepSigstoreFresh } from './keep-sigstore-fresh.ts';
import { anchorIntervalMs, reloadIntervalMs, revocationIntervalMs } from './limits.ts';
import { type Address, type Addresses, addressesOf, listenOn } from './listen.ts';
import { loadBasis } from './load-basis.ts';
import { followLookAgain } from './look-again.ts';
import { admitPolicy } from './policy-guard.ts';
import { openReplicaSafety } from './replica-safety.ts';
import { keepRefreshing, openRevocation } from './revocation.ts';
import {
  makeConfiguredAdmin,
  makeConfiguredGate,
  makeOciServer,
  makeProbes,
  type Parts,
} from './servers.ts';
import type { Stoppable } from './shutdown.ts';
import { makeSharedRates } from './shared-rates.ts';
import { publishSigstoreRoots } from './sigstore-roots.ts';
import { openState, type SharedState } from './state.ts';
import { holdStorage } from './storage-hold.ts';
import { trustDigestOf } from './trust-digest.ts';
import { openUpstreams, type Upstreams } from './upstreams.ts';
import { watchFiles } from './watch-files.ts';
import { openWorkApart } from './worker-threads.ts';
import { openZone, upstreamKeys, withZone } from './zone.ts';

/** The whole proxy, put together. */
export interface App extends Stoppable {
  readonly gate: MadeGate;
  readonly content: Pick<Content, 'store'>;
  /** Past the gate: for what is verified, or hashed, by who asks. */
  readonly upstreams: Pick<Upstreams, 'get'>;
  /** The keys that names may begin with. */
  readonly upstreamKeys: () => readonly string[];
  readonly denied: DenyList;
  readonly metrics: MetricsRegistry;
  readonly log: PinoLog;
  readonly probes: readonly ReadinessProbe[];
  /** Listens on both addresses; resolves with their URLs. Throws `StartupError`. */
  listen(): Promise<Addresses>;
  /** On one of them alone; resolves with the port. */
  listenOci(): Promise<number>;
  listenAdmin(): Promise<number>;
  /** Digests of the policy and of the trust material that it relies upon. */
  inForce(): string;
  /** Loads policy and trust material anew; never rejects. */
  reload(): Promise<void>;
  /** Looks at once whether files of policy or trust have changed, and reloads then. */
  lookForChanges(): Promise<void>;
}

export interface AppOverrides {
  readonly clock?: Clock;
  readonly log?: PinoLog;
  readonly metrics?: MetricsRegistry;
  /** Unset: this process does all that there is to do. */
  readonly host?: Host | undefined;
  /** In place of what the configuration says of it. */
  readonly shared?: SharedState | undefined;
  /** It is a command, which may run beside a server on the same folder. */
  readonly isCommand?: boolean;
}

/**
 * Builds everything by the configuration: sources, state, policy and trust material, verifier,
 * gate and servers. Throws `StartupError`, and leaves nothing open then.
 */
export async function composeApp(config: Config, overrides: AppOverrides = {}): Promise<App> {
  const { clock = systemClock, log = makePinoLog({ level: 'info' }) } = overrides;
  const { metrics = makeMetrics(), host, shared } = overrides;
  const opened = new AsyncDisposableStack();
  const listeners = host?.listeners ?? [];
  try {
    // Workers have the folder of their primary, and commands have none to themselves.
    const isOwner = host?.isKeeper !== false && overrides.isCommand !== true;
    if (isOwner) await holdStorage(config, { log }, opened);
    const around = { clock: makeForwardClock(clock), log, metrics, host, shared };
    const parts = await openParts(config, around, listeners, opened);
    if (isOwner) watchDrops(config, parts, opened);
    return await makeApp(config, parts, listeners, opened);
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

async function openParts(
  config: Config,
  {
    shared,
    host,
    ...observed
  }: Pick<Parts, 'clock' | 'log' | 'metrics' | 'host'> & Pick<AppOverrides, 'shared'>,
  listeners: readonly Address[],
  opened: AsyncDisposableStack,
): Promise<Parts> {
  const isKeeper = host?.isKeeper !== false;
  const anchors = isKeeper ? watchAnchors(observed, anchorIntervalMs) : undefined;
  opened.defer(() => anchors?.close());
  let guard: PolicyGuard | undefined;
  const basis = await openBasis({
    ...observed,
    load: (saw) => loadBasis(config, saw),
    admit: async (loaded) => guard && admitPolicy(guard, loaded),
    onLoaded: (loaded) => {
      publishBasis(loaded, observed.metrics);
      publishSigstoreRoots(config, loaded.trust, observed.metrics);
      anchors?.take(anchorsInUse(loaded));
    },
  });
  const state = await openState(config, observed, opened, { shared, host });
  const safety = await openReplicaSafety(config, { state, basis, host }, observed, opened);
  const { deny } = safety;
  guard = safety.guard;
  const lookAgain = await followLookAgain(state, observed, opened);
  const content = await openContent(config, observed, state, opened, host);
  const misses = makeConfiguredMisses(config, observed);
  const zone = await openZone(config, state.seal, observed, opened);
  const configured = await openUpstreams(config, {
    ...observed,
    kept: state.kept,
    content,
    misses,
    rates: makeSharedRates(state.store, state.seal),
    ownListeners: () => listeners,
  });
  opened.defer(() => configured.close());
  const upstreams = withZone(configured, zone);
  const revocation = openRevocation(
    config,
    {
      ...observed,
      store: state.local,
      trust: () => basis.current().trust,
      ownListeners: () => listeners,
    },
    opened,
  );
  const apart = openWorkApart(opened);
  keepRefreshing(revocation, revocationIntervalMs, opened);
  if (isKeeper) keepSigstoreFresh(config, { ...observed, ownListeners: () => listeners }, opened);
  // First of all to end: what was fetched so far is kept, and the next start goes on with it.
  opened.defer(() => content.fills.close());
  const made = { basis, upstreams, revocation, ...apart, state, deny, lookAgain, content, misses };
  return { ...observed, host, safety, zone, ...made };
}

async function makeApp(
  config: Config,
  parts: Parts,
  listeners: Address[],
  opened: AsyncDisposableStack,
): Promise<App> {
  const { log, metrics, basis, content } = parts;
  const gate = makeConfiguredGate(config, parts);
  let draining = false;
  const oci = await makeOciServer(config, gate, parts);
  const probes = makeProbes(parts, () => draining);
  const admin = makeConfiguredAdmin(config, gate, parts, probes);
  const servers: readonly FastifyInstance[] = [oci, admin];
  const reload = (): Promise<void> => basis.reload();
  const watch = watchFiles(() => basis.files(), reloadIntervalMs, reload);
  opened.defer(() => watch.close());
  const listenOci = async (): Promise<number> => {
    const taken = await listenOn(oci, config.listen, 'listen');
    listeners.push({ ...config.listen, port: taken });
    return taken;
  };
  const listenAdmin = async (): Promise<number> => {
    const taken = await listenOn(admin, config.admin, 'admin');
    listeners.push({ ...config.admin, port: taken });
    parts.safety.announce();
    return taken;
  };
  return {
    gate,
    content,
    upstreams: parts.upstreams,
    upstreamKeys: () => upstreamKeys(config, parts.zone),
    denied: parts.deny.list,
    metrics,
    log,
    probes,
    listenOci,
    listenAdmin,
    async listen() {
      const addresses = addressesOf(config, await listenOci(), await listenAdmin());
      log.info({ ...addresses }, 'listening');
      return addresses;
    },
    inForce: () => `${basis.current().policy.digest} ${trustDigestOf(basis.current())}`,
    reload,
    lookForChanges: () => watch.look(),
    beginDraining: () => {
      draining = true;
    },
    async close() {
      // The admin listener answers until the last pull has ended.
      await oci.close();
      await admin.close();
      await opened.disposeAsync();
    },
    closeIdleConnections: () => servers.forEach(({ server }) => server.closeIdleConnections()),
    destroyConnections: () => servers.forEach(({ server }) => server.closeAllConnections()),
  };
}
