import type { FastifyInstance } from 'fastify';
import type { Readiness } from '../admin/health.ts';
import { makeAdminServer } from '../admin/server.ts';
import type { Config } from '../config/schema.ts';
import type { DenyReplica } from '../gate/deny-replica.ts';
import { parseRfc3339 } from '../crypto/rfc3339.ts';
import type { LookAgain } from '../gate/look-again.ts';
import { type MadeGate, makeGate } from '../gate/gate.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import { makeMetrics, type MetricsRegistry } from '../observe/metrics.ts';
import { makePinoLog, type PinoLog } from '../observe/pino-log.ts';
import { makeServer } from '../routes/server.ts';
import { matching } from '../storage/matching.ts';
import { watchAnchors } from './anchor-watch.ts';
import { anchorsInUse } from './anchors.ts';
import { publishBasis } from './basis-published.ts';
import { type Basis, openBasis } from './basis.ts';
import { type Content, openContent } from './content.ts';
import { followDenyList, makeDenyProbe, openDenyList } from './deny.ts';
import { keepSigstoreFresh } from './keep-sigstore-fresh.ts';
import { anchorIntervalMs, gateLimits, reloadIntervalMs, revocationIntervalMs } from './limits.ts';
import { type Address, listenOn, namesOf, readServerTls, urlOf } from './listen.ts';
import { loadBasis } from './load-basis.ts';
import { makeAnchorProbe, makeBasisProbe, makeContentProbe, makeStateProbe } from './readiness.ts';
import { followLookAgain } from './look-again.ts';
import { publishSigstoreRoots } from './sigstore-roots.ts';
import type { Stoppable } from './shutdown.ts';
import { keepRefreshing, openRevocation } from './revocation.ts';
import { StartupError } from './startup-error.ts';
import { openState, type SharedState, type State } from './state.ts';
import { openUpstreams, type Upstreams } from './upstreams.ts';
import { makeConfiguredVerifier } from './verifier.ts';
import type { RevocationSource } from '../trust/revocation-source.ts';
import { watchFiles } from './watch-files.ts';
import { openWorkApart, type WorkApart } from './worker-threads.ts';

/** The whole proxy, put together. */
export interface App extends Stoppable {
  readonly gate: MadeGate;
  readonly content: Pick<Content, 'store'>;
  readonly metrics: MetricsRegistry;
  readonly log: PinoLog;
  /** Listens on both addresses; resolves with their URLs. Throws `StartupError`. */
  listen(): Promise<Addresses>;
  /** Loads policy and trust material anew; never rejects. */
  reload(): Promise<void>;
  /** Looks at once whether files of policy or trust have changed, and reloads then. */
  lookForChanges(): Promise<void>;
}

/** URLs, without a slash at the end. */
export interface Addresses {
  readonly oci: string;
  readonly admin: string;
}

export interface AppOverrides {
  readonly clock?: Clock;
  readonly log?: PinoLog;
  /** In place of what the configuration says of it. */
  readonly shared?: SharedState;
}

/**
 * Builds everything by the configuration: sources, state, policy and trust material, verifier,
 * gate and servers. Throws `StartupError`, and leaves nothing open then.
 */
export async function composeApp(config: Config, overrides: AppOverrides = {}): Promise<App> {
  const { clock = systemClock, log = makePinoLog({ level: 'info' }) } = overrides;
  const observed = { clock, log, metrics: makeMetrics() };
  const opened = new AsyncDisposableStack();
  const listeners: Address[] = [];
  try {
    const { shared } = overrides;
    const parts = await openParts(config, { ...observed, shared }, listeners, opened);
    return await makeApp(config, parts, listeners, opened);
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

interface Parts extends WorkApart {
  readonly clock: Clock;
  readonly log: PinoLog;
  readonly metrics: MetricsRegistry;
  readonly basis: Basis;
  readonly upstreams: Upstreams;
  readonly revocation: RevocationSource;
  readonly state: State;
  readonly deny: DenyReplica;
  readonly lookAgain: LookAgain;
  readonly content: Content;
}

async function openParts(
  config: Config,
  {
    shared,
    ...observed
  }: Pick<Parts, 'clock' | 'log' | 'metrics'> & { readonly shared: SharedState | undefined },
  listeners: readonly Address[],
  opened: AsyncDisposableStack,
): Promise<Parts> {
  const anchors = watchAnchors(observed, anchorIntervalMs);
  opened.defer(() => anchors.close());
  const basis = await openBasis({
    ...observed,
    load: (saw) => loadBasis(config, saw),
    onLoaded: (loaded) => {
      publishBasis(loaded, observed.metrics);
      publishSigstoreRoots(config, loaded.trust, observed.metrics);
      anchors.take(anchorsInUse(loaded));
    },
  });
  const state = await openState(config, observed, opened, shared);
  const deny = await openDenyList(config, state, observed);
  followDenyList(deny, state, opened);
  const lookAgain = await followLookAgain(state, observed, opened);
  const content = await openContent(config, observed, state, opened);
  const upstreams = await openUpstreams(config, {
    ...observed,
    kept: state.kept,
    content,
    ownListeners: () => listeners,
  });
  opened.defer(() => upstreams.close());
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
  keepSigstoreFresh(config, { ...observed, ownListeners: () => listeners }, opened);
  // First of all to end: what was fetched so far is kept, and the next start goes on with it.
  opened.defer(() => content.fills.close());
  return { ...observed, basis, upstreams, revocation, ...apart, state, deny, lookAgain, content };
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
  const admin = makeConfiguredAdmin(config, gate, parts, () => draining);
  const servers: readonly FastifyInstance[] = [oci, admin];
  const reload = (): Promise<void> => basis.reload();
  const watch = watchFiles(() => basis.files(), reloadIntervalMs, reload);
  opened.defer(() => watch.close());
  return {
    gate,
    content,
    metrics,
    log,
    async listen() {
      const ociPort = await listenOn(oci, config.listen, 'listen');
      const adminPort = await listenOn(admin, config.admin, 'admin');
      listeners.push({ ...config.listen, port: ociPort }, { ...config.admin, port: adminPort });
      const scheme = config.listen.tls === undefined ? 'http' : 'https';
      const addresses = {
        oci: urlOf(scheme, config.listen.host, ociPort),
        admin: urlOf('http', config.admin.host, adminPort),
      };
      log.info(addresses, 'listening');
      return addresses;
    },
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

async function makeOciServer(
  config: Config,
  gate: MadeGate,
  { log, metrics, clock }: Parts,
): Promise<FastifyInstance> {
  const tls = await readServerTls(config);
  const options = {
    ...(config.publicUrl !== undefined && { publicUrl: config.publicUrl }),
    ...(tls !== undefined && { tls }),
  };
  try {
    return makeServer({ gate, names: namesOf(config), log, metrics, clock }, options);
  } catch (cause) {
    if (tls === undefined) throw cause;
    const message = `listen.tls: the certificate and key can not be used: ${messageOf(cause)}`;
    throw new StartupError('TLS_UNUSABLE', message, { cause });
  }
}

function makeConfiguredAdmin(
  config: Config,
  gate: MadeGate,
  { basis, state, deny, content, metrics, clock, log }: Parts,
  isDraining: () => boolean,
): FastifyInstance {
  const serving = async (): Promise<Readiness> =>
    isDraining() ? { ok: false, says: 'shutting down' } : { ok: true, says: 'yes' };
  const probes = [
    { name: 'serving', check: serving },
    makeBasisProbe(basis),
    makeAnchorProbe(() => anchorsInUse(basis.current()), clock),
    makeStateProbe(state.local, clock),
    ...(state.probe === undefined ? [] : [state.probe]),
    makeDenyProbe(deny),
    makeContentProbe(content.store),
  ];
  const token = config.admin.token?.reveal();
  return makeAdminServer({
    probes,
    metrics,
    findVerdict: (id) => gate.verdictById(id),
    deny: { replica: deny, token, parseTime: parseRfc3339, clock },
    log,
  });
}

function makeConfiguredGate(config: Config, parts: Parts): MadeGate {
  const { basis, upstreams, state, deny, ...others } = parts;
  const observed = { ...others, denied: deny.list };
  const { tag, staleTag, untrusted } = config.lifetimes;
  return makeGate({
    ...observed,
    source: (upstream) => upstreams.get(upstream),
    verifier: makeConfiguredVerifier(config, () => basis.current(), upstreams, observed),
    state: state.sealed,
    fleet: state.fleet,
    denyList: deny.list,
    matching,
    lifetimes: { tagMs: tag.ms, staleTagMs: staleTag.ms, absentMs: untrusted.ms },
    limits: gateLimits,
  });
}
