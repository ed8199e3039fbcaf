import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import { makeSeal, makeSealedState, type Seal, type SealedState } from '../gate/sealed.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { KeyValue } from '../storage/key-value.ts';
import { makeLocalNotifications } from '../storage/local-notifications.ts';
import { openLmdbKeyValue } from '../storage/lmdb-key-value.ts';
import { makeManifestStore, type ManifestStore } from '../storage/manifest-store.ts';
import type { Notifications } from '../storage/notifications.ts';
import { storageShares } from './limits.ts';
import { StartupError } from './startup-error.ts';
import { makeStorageFolder, openSealKeys } from './state-folder.ts';

/** What is kept between requests. */
export interface State {
  readonly store: KeyValue;
  /** Verdicts, closures and pins, in `store`. */
  readonly sealed: SealedState;
  /** What seals it. */
  readonly seal: Seal;
  /** How those who share `store` tell each other of changes. */
  readonly notifications: Notifications;
  /** Manifests and small blobs by digest, apart: they need no seal, and many bytes. */
  readonly kept: ManifestStore;
}

/** State that several replicas, and commands beside them, have together. */
export type SharedState = Pick<State, 'store' | 'notifications'>;

/** As the configuration has it; closed by `opened`. Throws `StartupError`. */
export async function openShared(
  config: Config,
  opened: AsyncDisposableStack,
): Promise<SharedState> {
  await makeStorageFolder(config.storage.path);
  const store = await openStore(join(config.storage.path, 'state'), opened);
  return { store, notifications: makeLocalNotifications() };
}

/** Opens it under `storage.path`; closed by `opened`. Throws `StartupError`. */
export async function openState(
  config: Config,
  observed: { readonly metrics: Metrics; readonly log: Log },
  opened: AsyncDisposableStack,
  shared?: SharedState,
): Promise<State> {
  const { path, maxBytes } = config.storage;
  const { manifestBytes } = storageShares(maxBytes?.bytes);
  await makeStorageFolder(path);
  const keys = await openSealKeys(config);
  const { store, notifications } = shared ?? (await openShared(config, opened));
  const content = await openStore(join(path, 'content'), opened);
  return {
    store,
    sealed: makeSealedState(store, keys, observed),
    seal: makeSeal(keys),
    notifications,
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
