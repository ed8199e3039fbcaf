import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config/schema.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import { systemFiles } from '../storage/file-system.ts';
import { holdFolder } from '../storage/folder-hold.ts';
import { folderHoldLimits } from './limits.ts';
import { repeat } from './repeat.ts';
import { StartupError } from './startup-error.ts';
import { makeStorageFolder } from './state-folder.ts';
import type { Observed } from './verifier.ts';

/**
 * Takes `storage.path` for this server and its workers, until `opened` is closed: two servers that
 * know nothing of each other share no state that either could rely on. Throws `StartupError`.
 */
export async function holdStorage(
  { storage: { path } }: Pick<Config, 'storage'>,
  { log }: Pick<Observed, 'log'>,
  opened: AsyncDisposableStack,
): Promise<void> {
  await makeStorageFolder(path);
  const { touchMs, ...limits } = folderHoldLimits;
  const options = { ...limits, folder: path, files: systemFiles, wait: delay };
  const hold = await holdFolder(options).catch((cause: unknown) => {
    const message = `storage.path: ${path} can not be taken: ${messageOf(cause)}`;
    throw new StartupError('STATE_UNUSABLE', message, { cause });
  });
  if ('by' in hold) {
    const { pid, state } = hold.by;
    const who = state === 'alive' ? `process ${pid}` : 'another machine or container';
    throw new StartupError(
      'STORAGE_IN_USE',
      `storage.path: ${path} is in use by another server (${who}): give each a folder of its own, ` +
        'and several that serve the same a state in common, by `redis`',
    );
  }
  let isLost = false;
  const touch = async (): Promise<void> => {
    const wasLost = isLost;
    isLost = !(await hold.touch().catch(() => true));
    const message = 'another server has taken storage.path: one of the two must end';
    if (isLost && !wasLost) log.error({ path }, message);
  };
  const rounds = repeat(touch, touchMs);
  opened.defer(async () => {
    await rounds.close();
    await hold.release().catch(() => undefined);
  });
}
