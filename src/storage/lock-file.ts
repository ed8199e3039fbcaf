import { join } from 'node:path';
import { randomHex } from '../kernel/clock.ts';
import { systemCodeOf } from '../kernel/tagged-error.ts';
import { type FileSystem, unlessAbsent } from './file-system.ts';
import { livenessOf, type ProcessIdentity } from './process-identity.ts';
import type { StoreFolder } from './store-folder.ts';

export interface LockDependencies {
  readonly folder: StoreFolder;
  readonly files: FileSystem;
  readonly own: ProcessIdentity;
}

type Placing = Pick<LockDependencies, 'files' | 'own'> & {
  readonly folder: Pick<StoreFolder, 'staging'>;
};

/** A file that says which process does something alone. */
export interface FoundLock {
  /** Told apart from an earlier or later one of the same process; empty where it can't be read. */
  readonly owner: string;
  /** Its process has ended, as far as can be seen from here. */
  readonly isDead: boolean;
}

/**
 * False if there is one already. Written whole under another name first, so that nobody reads half
 * a line.
 */
export async function placeLock(
  lock: string,
  owner: string,
  { folder, files, own }: Placing,
): Promise<boolean> {
  const draft = join(folder.staging, `${owner}.draft`);
  await files.writeFile(draft, toLine(owner, own), { flag: 'wx', mode: 0o600 });
  try {
    await files.link(draft, lock);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await unlessAbsent(files.unlink(draft));
  }
}

export async function readLock(
  lock: string,
  { files, own }: Pick<LockDependencies, 'files' | 'own'>,
): Promise<FoundLock | undefined> {
  const line = await unlessAbsent(files.readFile(lock, 'utf8'));
  if (line === undefined) return undefined;
  const { owner, identity } = parseLine(line);
  // It was whole before it had this name: the power failed before its bytes were on the disk.
  if (!line.endsWith('\n')) return { owner, isDead: true };
  const liveness = identity === undefined ? 'unknown' : await livenessOf(identity, own, files);
  return { owner, isDead: liveness === 'dead' || liveness === 'dead-before-boot' };
}

/** Who has a lock, where the file may be shared by several machines. */
export interface LockHolder {
  readonly owner: string;
  readonly pid: number;
  /**
   * `elsewhere`: on another machine, in another container, or before the last start of this one;
   * whether it lives can't be seen from here.
   */
  readonly state: 'alive' | 'dead' | 'elsewhere';
}

/** Undefined where there is none, or none that can be read. */
export async function holderOfLock(
  lock: string,
  { files, own }: Pick<LockDependencies, 'files' | 'own'>,
): Promise<LockHolder | undefined> {
  const { owner, identity } = parseLine((await unlessAbsent(files.readFile(lock, 'utf8'))) ?? '');
  if (identity === undefined) return undefined;
  const { pid } = identity;
  if (identity.boot !== own.boot) return { owner, pid, state: 'elsewhere' };
  const liveness = await livenessOf(identity, own, files);
  if (liveness === 'alive') return { owner, pid, state: 'alive' };
  return { owner, pid, state: liveness === 'dead' ? 'dead' : 'elsewhere' };
}

/** Removes it if it is the owner's; another's that was met instead is put back. */
export async function dropLock(
  lock: string,
  owner: string,
  { folder, files }: Pick<Placing, 'folder' | 'files'>,
): Promise<void> {
  const taken = join(folder.staging, `${randomHex(8)}.dropped`);
  const moved = await unlessAbsent(files.rename(lock, taken).then(() => true));
  if (moved !== true) return;
  try {
    const found = parseLine(await files.readFile(taken, 'utf8'));
    if (found.owner === owner) return;
    await files.link(taken, lock).catch((error: unknown) => {
      if (systemCodeOf(error) !== 'EEXIST') throw error;
    });
  } finally {
    await unlessAbsent(files.unlink(taken));
  }
}

function toLine(owner: string, { pid, started, boot, namespace }: ProcessIdentity): string {
  return `${[owner, pid, started, boot, namespace].join(' ')}\n`;
}

/** A line that can't be read is an owner of whom nothing is known. */
function parseLine(line: string): {
  readonly owner: string;
  readonly identity: ProcessIdentity | undefined;
} {
  const match = /^([0-9a-f]{16}) (\d{1,10}) (\d*) (\S*) (\S*)\n$/.exec(line);
  if (match === null) return { owner: '', identity: undefined };
  const [, owner = '', pid, started = '', boot = '', namespace = ''] = match;
  return { owner, identity: { pid: Number(pid), started, boot, namespace } };
}
