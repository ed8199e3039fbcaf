import type { Config } from '../config/schema.ts';
import { UnavailableError } from '../gate/gate-error.ts';
import { isOutage } from '../gate/outage.ts';
import { makeSeal } from '../gate/sealed.ts';
import { readTagHistory, type TagHistory } from '../gate/tag-history.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import { StorageError } from '../storage/storage-error.ts';
import { StartupError } from './startup-error.ts';
import { isStateUnused, openSealKeys } from './state-folder.ts';
import { openShared } from './state.ts';

/**
 * What servers on this configuration have noted of tags, beside them, for a command that changes
 * nothing. Throws `UnavailableError` where it can't be read, or not all of it can.
 */
export function storedTagHistory(config: Config): Pick<TagHistory, 'of'> {
  return {
    async of(scope, tag) {
      if (isStateUnused(config)) return [];
      const opened = new AsyncDisposableStack();
      try {
        const { store } = await openShared(config, opened);
        const seal = makeSeal(await openSealKeys(config));
        const values = async (prefix: string, limit: number) =>
          (await store.entries(prefix, limit)).map(({ key, value }) => {
            const entry = seal.open(key, value);
            if (entry !== undefined) return entry;
            // A server passes it over. Here it may as well be the key that is another one.
            throw new UnavailableError('UNAVAILABLE', 'an entry does not open: see state.keys');
          });
        return await readTagHistory({ values }, scope, tag);
      } catch (cause) {
        if (!isAway(cause)) throw cause;
        throw new UnavailableError('UNAVAILABLE', messageOf(cause), { cause });
      } finally {
        await opened.disposeAsync();
      }
    },
  };
}

function isAway(error: unknown): boolean {
  return error instanceof StartupError || error instanceof StorageError || isOutage(error);
}
