import { setTimeout as delay } from 'node:timers/promises';
import type { Followed } from './blob-store.ts';
import type { EndedFill, FillTask } from './fill-task.ts';
import { StorageError } from './storage-error.ts';

/**
 * Reads along with the fill of another process, as far as that comes. Where it gives up or falls
 * silent, whoever has read nothing yet may begin anew.
 */
export async function followOther(task: FillTask): Promise<EndedFill> {
  const { content, store, growing, onBegun, signal } = task;
  const followed = await store.follow(content).catch(() => undefined);
  if (followed === undefined) {
    // It may have come to its end just now.
    const found = await store.stat(content.digest).catch(() => undefined);
    onBegun(found?.size === content.size ? 'stored' : 'lost');
    return { outcome: 'followed', release: () => Promise.resolve() };
  }
  const release = (): Promise<void> => followed.release();
  growing.source.setFile((into, position) => followed.read(into, position));
  try {
    await watch(task, followed);
    growing.verify();
  } catch (error) {
    onBegun('lost');
    growing.fail(error);
    return { outcome: signal.aborted ? 'given-up' : 'lost', release };
  }
  onBegun('growing');
  return { outcome: 'followed', release };
}

async function watch(
  { content, growing, limits, onBegun, signal }: FillTask,
  followed: Followed,
): Promise<void> {
  for (let silentMs = 0; silentMs < limits.followPatienceMs; silentMs += limits.followPollMs) {
    signal.throwIfAborted();
    const progress = await followed.progress();
    if (progress === 'stored') return;
    if (progress === 'lost') {
      throw new StorageError('STORAGE_FAILED', `${content.digest} was given up by who stored it`);
    }
    if (progress > growing.bytes) {
      growing.grow(progress);
      onBegun('growing');
      silentMs = 0;
    }
    await delay(limits.followPollMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
  throw new StorageError('STORAGE_FAILED', `${content.digest} is not stored any further`);
}
