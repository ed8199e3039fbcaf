import { type Clock, randomHex } from '../kernel/clock.ts';
import type { Digest } from '../oci/digest.ts';
import { type FileSystem, unlessAbsent } from './file-system.ts';
import { dropLock, type LockDependencies, placeLock, readLock } from './lock-file.ts';
import type { StoreFolder } from './store-folder.ts';

/**
 * Who stores a digest at the moment, over all processes of the machine: a file that names the
 * process. No content rests on it, since each owner writes to a file of its own: two owners at a
 * time, as two processes may become that find a dead one's at the same moment, only fetch twice.
 */
export interface Leases {
  /** Undefined while another owner has it. */
  take(digest: Digest): Promise<Lease | undefined>;
  holder(digest: Digest): Promise<Holder | undefined>;
  /** Takes the lease from an owner that died; what it left becomes nobody's. */
  settle(digest: Digest, holder: Holder): Promise<void>;
}

export interface Lease {
  /** Names the owner's files. */
  readonly owner: string;
  release(): Promise<void>;
}

export interface Holder {
  readonly owner: string;
  /** `silent`: alive or out of our sight, but it has written nothing for long. */
  readonly state: 'active' | 'silent' | 'dead';
}

export interface LeaseDependencies extends LockDependencies {
  readonly clock: Clock;
  /** An owner that wrote nothing for so long keeps nobody from storing the content. */
  readonly silentMs: number;
}

const maxTries = 3;

export function makeLeases(dependencies: LeaseDependencies): Leases {
  const { folder, files } = dependencies;
  const take = async (digest: Digest): Promise<Lease | undefined> => {
    const owner = randomHex(8);
    for (let tries = 0; tries < maxTries; tries += 1) {
      if (await placeLock(folder.lock(digest), owner, dependencies)) {
        const lock = folder.lock(digest);
        return { owner, release: () => inTurn(lock, () => dropLock(lock, owner, dependencies)) };
      }
      const found = await holderOf(digest, dependencies);
      if (found?.state === 'active') return undefined;
      if (found !== undefined) await settle(digest, found);
    }
    return undefined;
  };
  const settle = async (digest: Digest, { owner, state }: Holder): Promise<void> => {
    // What is still alive may go on writing to its own file: only a dead one's is gone on with.
    if (state === 'dead') await leavePartial(digest, owner, folder, files);
    await dropLock(folder.lock(digest), owner, dependencies);
  };
  return {
    take: (digest) => inTurn(folder.lock(digest), () => take(digest)),
    settle: (digest, found) => inTurn(folder.lock(digest), () => settle(digest, found)),
    holder: (digest) => holderOf(digest, dependencies),
  };
}

const turns = new Map<string, Promise<unknown>>();

/** One after the other within this process: taking a dead one's lease is more than one step. */
function inTurn<T>(lock: string, work: () => Promise<T>): Promise<T> {
  const turn = (turns.get(lock) ?? Promise.resolve()).then(work, work);
  turns.set(lock, turn);
  const end = (): void => {
    if (turns.get(lock) === turn) turns.delete(lock);
  };
  turn.then(end, end);
  return turn;
}

/** Makes an owner's partial content nobody's; where there is none, nothing happens. */
export async function leavePartial(
  digest: Digest,
  owner: string,
  folder: StoreFolder,
  files: FileSystem,
): Promise<void> {
  const from = folder.partial(digest, owner);
  const to = folder.partial(digest, undefined);
  // The journal goes first: a part without one is worth nothing.
  await unlessAbsent(files.rename(from.journal, to.journal));
  await unlessAbsent(files.rename(from.part, to.part));
}

async function holderOf(
  digest: Digest,
  dependencies: LeaseDependencies,
): Promise<Holder | undefined> {
  const { folder, files, clock, silentMs } = dependencies;
  const lock = folder.lock(digest);
  const found = await readLock(lock, dependencies);
  if (found === undefined) return undefined;
  const { owner } = found;
  if (found.isDead) return { owner, state: 'dead' };
  const part = await unlessAbsent(files.stat(folder.partial(digest, owner).part));
  const written = part ?? (await unlessAbsent(files.stat(lock)));
  const isSilent = written !== undefined && clock.now().getTime() - written.mtimeMs > silentMs;
  return { owner, state: isSilent ? 'silent' : 'active' };
}
