import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import { makeSealedState, type SealedState } from '../gate/sealed.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { KeyValue } from '../storage/key-value.ts';
import { openLmdbKeyValue } from '../storage/lmdb-key-value.ts';
import { StartupError } from './startup-error.ts';
import { makeStorageFolder, openSealKeys } from './state-folder.ts';

export interface State {
  readonly store: KeyValue;
  readonly sealed: SealedState;
}

/** Opens what is kept between requests, under `storage.path`. Throws `StartupError`. */
export async function openState(
  config: Config,
  observed: { readonly metrics: Metrics; readonly log: Log },
): Promise<State> {
  await makeStorageFolder(config.storage.path);
  const keys = await openSealKeys(config);
  try {
    const store = await openLmdbKeyValue(join(config.storage.path, 'state'));
    return { store, sealed: makeSealedState(store, keys, observed) };
  } catch (cause) {
    throw new StartupError('STATE_UNUSABLE', messageOf(cause), { cause });
  }
}
