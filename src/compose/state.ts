import { join } from 'node:path';
import type { ReadinessProbe } from '../admin/health.ts';
import type { Config } from '../config/schema.ts';
import type { FleetDependencies } from '../gate/fleet-flight.ts';
import { type ClockFence, makeClockFence } from '../gate/clock-fence.ts';
import { isOfAllVersions, ofOneVersion } from '../gate/listed-names.ts';
import { makeSeal, makeSealedState, type Seal, type SealedState } from '../gate/sealed.ts';
import { systemClock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import { fencedKeyValue } from '../storage/fenced-key-value.ts';
import type { KeyValue } from '../storage/key-value.ts';
import { makeLocalNotifications } from '../storage/local-notifications.ts';
import { openLmdbKeyValue } from '../storage/lmdb-key-value.ts';
import { makeManifestStore, type ManifestStore } from '../storage/manifest-store.ts';
import type { Notifications } from '../storage/notifications.ts';
import {
  assertNotNewer,
  discardOlder,
  ofSchema,
  stampSchema,
  stateSchema,
} from '../storage/state-schema.ts';
import type { StoreLife } from '../storage/store-life.ts';
import type { Host } from './host.ts';
import { fleetLimits, replicaLimits, storageShares } from './limits.ts';
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
  /** Of a replica among others. */
  readonly standing?: ReplicaStanding;
  /** Manifests and small blobs by digest, apart: they need no seal, and many bytes. */
  readonly kept: ManifestStore;
}

/** What keeps this replica from leading others astray. */
export interface ReplicaStanding {
  readonly fence: ClockFence;
  /** Replicas are there that keep verdicts under another schema. */
  isMixed: boolean;
  /** Takes writes whatever the clock is. */
  readonly unfenced: KeyValue;
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
  /** Where replicas with clocks of their own share it. */
  readonly replicas?: {
    /** What its server takes for the present. Throws where it can't be asked. */
    time(): Promise<Date | undefined>;
    readonly schema: number;
  };
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
  { host, as = 'command' }: { readonly host?: Host | undefined; readonly as?: UsedAs } = {},
): Promise<SharedState> {
  if (config.redis !== undefined) {
    // Its client takes a tenth of a second to load, which only those who use it are to pay.
    const { openRedisState } = await import('./redis-state.ts');
    return openRedisState(config.redis, observed, opened);
  }
  await makeStorageFolder(config.storage.path);
  const store = await openStateStore(config.storage.path, as, opened);
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
  readonly shared?: SharedState | undefined;
  readonly host?: Host | undefined;
}

/** Opens it under `storage.path`; closed by `opened`. Throws `StartupError`. */
export async function openState(
  config: Config,
  observed: Observed,
  opened: AsyncDisposableStack,
  { shared, host }: Given = {},
): Promise<State> {
  const { path, maxBytes } = config.storage;
  const { manifestBytes } = storageShares(maxBytes?.bytes);
  await makeStorageFolder(path);
  const keys = await openSealKeys(config);
  const together = shared ?? (await openShared(config, opened, observed, { host, as: 'server' }));
  const isLocal = config.redis === undefined;
  const local = isLocal ? together.store : await openStateStore(path, 'server', opened);
  const standing = together.replicas && makeStanding(together, observed);
  const because = (): string | undefined => standing?.fence.because();
  const store = standing ? fencedKeyValue(together.store, because) : together.store;
  const content = await openStore(join(path, 'content'), opened);
  return {
    ...together,
    store,
    local,
    ...(standing && { standing }),
    sealed: makeSealedState(store, keys, {
      ...observed,
      life: standing ? wholeUnlessMixed(together.life, standing) : together.life,
      // What was reached by a wrong clock is not written later either.
      fence: () => (standing?.fence.isOff() === true ? because() : undefined),
    }),
    seal: makeSeal(keys),
    kept: makeManifestStore(content, { maxBytes: manifestBytes }),
  };
}

function makeStanding({ store }: SharedState, { clock }: Observed): ReplicaStanding {
  const fence = makeClockFence(clock, replicaLimits.fenceMs);
  return { fence, isMixed: false, unfenced: store };
}

/** What replicas of another schema vouch for is not found here: that says nothing about it. */
function wholeUnlessMixed(life: StoreLife | undefined, standing: ReplicaStanding): StoreLife {
  return {
    losses: () => life?.losses() ?? 0,
    isWhole: async () => !standing.isMixed && ((await life?.isWhole()) ?? true),
  };
}

/** A server takes it for its schema; a command beside a server of an older version does not. */
type UsedAs = 'server' | 'command';

/** The part of this schema. What older versions left is deleted in the background. */
async function openStateStore(
  path: string,
  as: UsedAs,
  opened: AsyncDisposableStack,
): Promise<KeyValue> {
  const folder = join(path, 'state');
  const whole = await openStore(folder, opened);
  if (as === 'command') await orUnusable(assertNotNewer(whole, stateSchema, folder));
  else {
    await orUnusable(stampSchema(whole, stateSchema, folder));
    const ending = new AbortController();
    // What fails, or is not done, is done after the next start: nobody finds any of it.
    const discarding = discardOlder(whole, stateSchema, ofOneVersion, ending.signal);
    const ended = discarding.then(nothing, nothing);
    opened.defer(async () => {
      ending.abort();
      await ended;
    });
  }
  return ofSchema(whole, stateSchema, isOfAllVersions);
}

const nothing = (): void => undefined;

async function openStore(folder: string, opened: AsyncDisposableStack): Promise<KeyValue> {
  const store = await orUnusable(openLmdbKeyValue(folder));
  opened.defer(() => store.close());
  return store;
}

async function orUnusable<T>(work: Promise<T>): Promise<T> {
  return work.catch((cause: unknown) => {
    throw new StartupError('STATE_UNUSABLE', messageOf(cause), { cause });
  });
}
