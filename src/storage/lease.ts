import { join } from 'node:path';
import { type Clock, randomHex } from '../kernel/clock.ts';
import type { Digest } from '../oci/digest.ts';
import { type FileSystem, systemCodeOf, unlessAbsent } from './file-system.ts';
import { livenessOf, type ProcessIdentity } from './process-identity.ts';
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

export interface LeaseDependencies {
  readonly folder: StoreFolder;
  readonly files: FileSystem;
  readonly clock: Clock;
  readonly own: ProcessIdentity;
  /** An owner that wrote nothing for so long keeps nobody from storing the content. */
  readonly silentMs: number;
}

const maxTries = 3;

export function makeLeases(dependencies: LeaseDependencies): Leases {
  const { folder, files, own } = dependencies;
  const take = async (digest: Digest): Promise<Lease | undefined> => {
    const owner = randomHex(8);
    for (let tries = 0; tries < maxTries; tries += 1) {
      if (await place(folder.lock(digest), toLine(owner, own), owner, dependencies)) {
        const lock = folder.lock(digest);
        return { owner, release: () => inTurn(lock, () => drop(digest, owner, dependencies)) };
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
    await drop(digest, owner, dependencies);
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

/** Written whole under another name first, so that nobody reads half a line. */
async function place(
  lock: string,
  line: string,
  name: string,
  { folder, files }: LeaseDependencies,
): Promise<boolean> {
  const draft = join(folder.staging, `${name}.draft`);
  await files.writeFile(draft, line, { flag: 'wx', mode: 0o600 });
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

async function holderOf(
  digest: Digest,
  { folder, files, clock, own, silentMs }: LeaseDependencies,
): Promise<Holder | undefined> {
  const lock = folder.lock(digest);
  const line = await unlessAbsent(files.readFile(lock, 'utf8'));
  if (line === undefined) return undefined;
  const { owner, identity } = parseLine(line);
  const liveness = identity === undefined ? 'unknown' : await livenessOf(identity, own, files);
  if (liveness === 'dead' || liveness === 'dead-before-boot') return { owner, state: 'dead' };
  const part = await unlessAbsent(files.stat(folder.partial(digest, owner).part));
  const written = part ?? (await unlessAbsent(files.stat(lock)));
  const isSilent = written !== undefined && clock.now().getTime() - written.mtimeMs > silentMs;
  return { owner, state: isSilent ? 'silent' : 'active' };
}

/** Removes the lease if it is the owner's; another's that was met instead is put back. */
async function drop(
  digest: Digest,
  owner: string,
  { folder, files }: LeaseDependencies,
): Promise<void> {
  const lock = folder.lock(digest);
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
