import { setTimeout as delay } from 'node:timers/promises';
import type { RootDatabase } from 'lmdb';
import { StorageError } from './storage-error.ts';

export type LmdbDatabase = RootDatabase<Buffer, Buffer>;

/** Puts `value` under the key, or with undefined takes the key away; resolves once it is done. */
export type LmdbWrite = (key: Buffer, value: Buffer | undefined) => Promise<void>;

interface Waiting {
  readonly key: Buffer;
  readonly value: Buffer | undefined;
  readonly settle: PromiseWithResolvers<void>;
}

const maxGroup = 1_000;
const maxGroupBytes = 8 * 1024 * 1024;
const maxWaitingBytes = 128 * 1024 * 1024;
const maxWaiting = 100_000;
const defaultCommitDeadlineMs = 30_000;
const causeDeadlineMs = 1_000;

/**
 * Writes in groups, each a transaction, and one transaction at a time. With several under way the
 * library (3.5.6) tells some writes of a commit that failed, on a full disk say, that they are
 * done, and others nothing ever. Rejects past the deadline, and when too many writes wait; throws
 * while what is past it has not ended.
 */
export function makeLmdbWrites(
  database: LmdbDatabase,
  { commitDeadlineMs = defaultCommitDeadlineMs }: { readonly commitDeadlineMs?: number } = {},
): LmdbWrite {
  const waiting: Waiting[] = [];
  let waitingBytes = 0;
  let isRunning = false;
  let isStuck = false;
  const next = (length: number): readonly Waiting[] => {
    const group = waiting.splice(0, length);
    waitingBytes -= bytesOf(group);
    return group;
  };
  const run = async (): Promise<void> => {
    isRunning = true;
    while (waiting.length > 0) {
      const group = next(groupLength(waiting));
      const written = begin(database, group);
      const committed = commit(written, commitDeadlineMs);
      const failure = await committed.catch((error: unknown) => ({ error }));
      if (failure?.error instanceof LateError) {
        isStuck = true;
        const goOn = (): void => void (isStuck = false);
        written.then(goOn, goOn);
        // What hangs once is not waited for by each of those behind it in turn.
        fail(next(waiting.length), failure.error);
      }
      if (failure === undefined) group.forEach(({ settle }) => settle.resolve());
      else fail(group, failure.error);
    }
    isRunning = false;
  };
  return (key, value) => {
    if (isStuck) {
      const message = 'an earlier write to the state database has not ended yet';
      throw new StorageError('STORAGE_FAILED', message);
    }
    const write = { key, value, settle: Promise.withResolvers<void>() };
    const bytes = bytesOf([write]);
    if (waiting.length >= maxWaiting || waitingBytes + bytes > maxWaitingBytes) {
      throw new StorageError('STORAGE_FAILED', 'too many writes to the state database wait');
    }
    waiting.push(write);
    waitingBytes += bytes;
    // What else this turn of the event loop writes goes into the same transaction.
    if (waiting.length === 1) setImmediate(() => void (isRunning || run()));
    return write.settle.promise;
  };
}

class LateError extends StorageError {}

function fail(group: readonly Waiting[], error: unknown): void {
  group.forEach(({ settle }) => settle.reject(error));
}

function bytesOf(writes: readonly Waiting[]): number {
  return writes.reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0);
}

function groupLength(waiting: readonly Waiting[]): number {
  let bytes = 0;
  const end = waiting.findIndex((write, index) => {
    bytes += bytesOf([write]);
    return index >= maxGroup || (index > 0 && bytes > maxGroupBytes);
  });
  return end === -1 ? waiting.length : end;
}

async function begin(database: LmdbDatabase, group: readonly Waiting[]): Promise<unknown> {
  return database.batch(() => {
    for (const { key, value } of group) {
      if (value === undefined) void database.remove(key);
      else void database.put(key, value);
    }
  });
}

async function commit(written: Promise<unknown>, deadlineMs: number): Promise<undefined> {
  const timer = new AbortController();
  const late = delay(deadlineMs, undefined, { signal: timer.signal }).then(() => {
    const message = `a write did not end within ${deadlineMs / 1000} s`;
    throw new LateError('STORAGE_FAILED', message);
  });
  try {
    await Promise.race([written, late]);
  } catch (error) {
    throw await causeOf(error);
  } finally {
    timer.abort();
    late.catch(() => undefined);
  }
}

/**
 * The library rejects with a general error, whose `commitError` is a promise of the real one, and
 * now and then of nothing.
 */
async function causeOf(thrown: unknown): Promise<unknown> {
  if (!(thrown instanceof Error && 'commitError' in thrown)) return thrown;
  try {
    return await Promise.race([thrown.commitError, delay(causeDeadlineMs, thrown, { ref: false })]);
  } catch (commitError) {
    return commitError;
  }
}
