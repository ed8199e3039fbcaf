import { join } from 'node:path';
import type { ReadinessProbe } from '../admin/health.ts';
import type { Config } from '../config/schema.ts';
import type { FleetDependencies } from '../gate/fleet-flight.ts';
import { makeSeal, makeSealedState, type Seal, type SealedState } from '../gate/sealed.ts';
import { systemClock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { KeyValue } from '../storage/key-value.ts';
import { makeLocalNotifications } from '../storage/local-notifications.ts';
import { openLmdbKeyValue } from '../storage/lmdb-key-value.ts';
import { makeManifestStore, type ManifestStore } from '../storage/manifest-store.ts';
import type { Notifications } from '../storage/notifications.ts';
import type { StoreLife } from '../storage/store-life.ts';
import type { Host } from './host.ts';
import { fleetLimits, storageShares } from './limits.ts';
import { StartupError } from './startup-error.ts';
import { makeStorageFolder, openSealKeys } from './state-folder.ts';
import type { Observed } from './verifier.ts';

/** What is kept between requests. */
export interface State extends SharedState {
  /** What is this replica's own, such as answers about revocation. */
  readonly local: KeyValue;
  /** Verdicts, closures and pins, in `store`. */
  readonly sealed: SealedState;
  /** What seals it. */
  readonly seal: Seal;
  /** Manifests and small blobs by digest, apart: they need no seal, and many bytes. */
  readonly kept: ManifestStore;
}

/** State that several replicas, and commands beside them, have together. */
export interface SharedState {
  readonly store: KeyValue;
  /** How those who share `store` tell each other of changes. */
  readonly notifications: Notifications;
  /** Where it may lose what it took. */
  readonly life?: StoreLife;
  /** Where several replicas do the same work. */
  readonly fleet?: FleetDependencies;
  /** Where it is another server's. */
  readonly probe?: ReadinessProbe;
}

/** For a command that lives for a moment, and says itself what it could not do. */
const unobserved: Observed = {
  clock: systemClock,
  metrics: { count() {}, time() {}, set() {} },
  log: { debug() {}, info() {}, warn() {}, error() {} },
};

/** As the configuration has it; closed by `opened`. Throws `StartupError`. */
export async function openShared(
  config: Config,
  opened: AsyncDisposableStack,
  observed: Observed = unobserved,
  host?: Host,
): Promise<SharedState> {
  if (config.redis !== undefined) {
    // Its client takes a tenth of a second to load, which only those who use it are to pay.
    const { openRedisState } = await import('./redis-state.ts');
    return openRedisState(config.redis, observed, opened);
  }
  await makeStorageFolder(config.storage.path);
  const store = await openStore(join(config.storage.path, 'state'), opened);
  const { notifications = makeLocalNotifications(), leases } = host ?? {};
  return {
    store,
    notifications,
    ...(leases !== undefined && { fleet: { leases, notifications, limits: fleetLimits } }),
  };
}

/** What is there already. */
interface Given {
  /** In place of what the configuration says of it. */
  readonly shared: SharedState | undefined;
  readonly host: Host | undefined;
}

/** Opens it under `storage.path`; closed by `opened`. Throws `StartupError`. */
export async function openState(
  config: Config,
  observed: Observed,
  opened: AsyncDisposableStack,
  { shared, host }: Given,
): Promise<State> {
  const { path, maxBytes } = config.storage;
  const { manifestBytes } = storageShares(maxBytes?.bytes);
  await makeStorageFolder(path);
  const keys = await openSealKeys(config);
  const together = shared ?? (await openShared(config, opened, observed, host));
  const { store, life } = together;
  const isLocal = config.redis === undefined;
  const local = isLocal ? store : await openStore(join(path, 'state'), opened);
  const content = await openStore(join(path, 'content'), opened);
  return {
    ...together,
    local,
    sealed: makeSealedState(store, keys, { ...observed, life }),
    seal: makeSeal(keys),
    kept: makeManifestStore(content, { maxBytes: manifestBytes }),
  };
}

async function openStore(folder: string, opened: AsyncDisposableStack): Promise<KeyValue> {
  try {
    const store = await openLmdbKeyValue(folder);
    opened.defer(() => store.close());
    return store;
  } catch (cause) {
    throw new StartupError('STATE_UNUSABLE', messageOf(cause), { cause });
  }
}
