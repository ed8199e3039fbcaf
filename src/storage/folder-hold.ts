import { join } from 'node:path';
import { randomHex } from '../kernel/clock.ts';
import { type FileSystem, unlessAbsent } from './file-system.ts';
import { dropLock, holderOfLock, type LockHolder, placeLock } from './lock-file.ts';
import { readOwnIdentity } from './process-identity.ts';
import { StorageError } from './storage-error.ts';

/** A folder that one server has for itself, with its workers and the commands beside it. */
export interface FolderHold {
  /** Tells others elsewhere that it is still held; false where another server has taken it. */
  touch(): Promise<boolean>;
  release(): Promise<void>;
}

/** Another server has the folder. */
export interface HeldFolder {
  readonly by: LockHolder;
}

export interface HoldOptions {
  readonly folder: string;
  /** A holder elsewhere that was not heard of for so long is gone. */
  readonly silentMs: number;
  /** How often it is looked at meanwhile. */
  readonly lookEveryMs: number;
  readonly wait: (ms: number) => Promise<unknown>;
  readonly files: FileSystem;
}

const fileName = 'server.lock';
const maxTries = 5;

/**
 * Takes it unless another server has it. Of one in sight it is known whether it lives. Of one
 * elsewhere only the file is seen, whose age is told by the clock of the file system: as long as it
 * may live it is waited for. Throws `StorageError` and what the file system does.
 */
export async function holdFolder(options: HoldOptions): Promise<FolderHold | HeldFolder> {
  const { folder, files } = options;
  const own = await readOwnIdentity(files);
  const lock = join(folder, fileName);
  const owner = randomHex(8);
  const placing = { folder: { staging: folder }, files, own };
  for (let tries = 0; tries < maxTries; tries += 1) {
    if (await placeLock(lock, owner, placing)) return makeHold(lock, owner, placing);
    const holder = await holderOfLock(lock, placing);
    // Two in one process have the same memory: they know of each other.
    if (holder?.state === 'alive' && holder.pid === own.pid) return sharedHold;
    if (holder !== undefined && (await mayLive(holder, lock, options))) return { by: holder };
    await dropLock(lock, holder?.owner ?? '', placing);
  }
  throw new StorageError('STORAGE_FAILED', `${lock} is taken and left again and again`);
}

async function mayLive(
  { state }: LockHolder,
  lock: string,
  options: HoldOptions,
): Promise<boolean> {
  return state === 'alive' || (state === 'elsewhere' && (await isTouched(lock, options)));
}

const sharedHold: FolderHold = { touch: async () => true, release: async () => undefined };

function makeHold(
  lock: string,
  owner: string,
  placing: Parameters<typeof dropLock>[2] & Parameters<typeof holderOfLock>[1],
): FolderHold {
  const { files } = placing;
  return {
    async touch() {
      const holder = await holderOfLock(lock, placing);
      if (holder?.owner !== owner) return false;
      const line = await files.readFile(lock, 'utf8');
      await files.writeFile(lock, line, { flag: 'r+' });
      return true;
    },
    release: () => dropLock(lock, owner, placing),
  };
}

/** Whether somebody writes to it, now or so lately that the next time is still to come. */
async function isTouched(lock: string, options: HoldOptions): Promise<boolean> {
  const { files, silentMs, lookEveryMs, wait } = options;
  const first = await touchedAt(lock, files);
  const ageMs = (await nowOf(options)) - (first ?? 0);
  for (let waitedMs = Math.max(0, ageMs); waitedMs < silentMs; waitedMs += lookEveryMs) {
    await wait(lookEveryMs);
    const last = await touchedAt(lock, files);
    if (last === undefined) return false;
    if (last !== first) return true;
  }
  return false;
}

async function touchedAt(file: string, files: FileSystem): Promise<number | undefined> {
  return (await unlessAbsent(files.stat(file)))?.mtimeMs;
}

/** What the file system takes for the present: a machine's own clock may be another one. */
async function nowOf({ folder, files }: HoldOptions): Promise<number> {
  const file = join(folder, `${randomHex(8)}.now`);
  await files.writeFile(file, '', { flag: 'wx', mode: 0o600 });
  try {
    return (await touchedAt(file, files)) ?? 0;
  } finally {
    await unlessAbsent(files.unlink(file));
  }
}
