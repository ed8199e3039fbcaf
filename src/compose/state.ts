import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import { makeSealedState, type SealedState } from '../gate/sealed.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { KeyValue } from '../storage/key-value.ts';
import { openLmdbKeyValue } from '../storage/lmdb-key-value.ts';
import { makeManifestStore, type ManifestStore } from '../storage/manifest-store.ts';
import { storageShares } from './limits.ts';
import { StartupError } from './startup-error.ts';
import { makeStorageFolder, openSealKeys } from './state-folder.ts';

/** What is kept between requests. */
export interface State {
  readonly store: KeyValue;
  /** Verdicts, closures and pins, in `store`. */
  readonly sealed: SealedState;
  /** Manifests and small blobs by digest, apart: they need no seal, and many bytes. */
  readonly kept: ManifestStore;
}

/** Opens it under `storage.path`; closed by `opened`. Throws `StartupError`. */
export async function openState(
  config: Config,
  observed: { readonly metrics: Metrics; readonly log: Log },
  opened: AsyncDisposableStack,
): Promise<State> {
  const { path, maxBytes } = config.storage;
  const { manifestBytes } = storageShares(maxBytes?.bytes);
  await makeStorageFolder(path);
  const keys = await openSealKeys(config);
  const store = await openStore(join(path, 'state'), opened);
  const content = await openStore(join(path, 'content'), opened);
  return {
    store,
    sealed: makeSealedState(store, keys, observed),
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
