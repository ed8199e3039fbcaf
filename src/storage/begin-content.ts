import { randomHex } from '../kernel/clock.ts';
import type { ContentName, Staging } from './blob-store.ts';
import { openStaging } from './fs-staging.ts';
import type { Lease } from './lease.ts';
import type { Reservation } from './room.ts';
import { StorageError } from './storage-error.ts';
import type { StoreDisk } from './store-disk.ts';

export type Reserve = (bytes: number) => Promise<Reservation | undefined>;

/** Room, then the lease, then the file; each is given back if the next can't be had. */
export async function beginContent(
  content: ContentName,
  disk: StoreDisk,
  reserve: Reserve | undefined,
  beside: 'beside' | undefined,
): Promise<Staging | 'taken' | 'stored'> {
  const { trouble, leases } = disk;
  const health = trouble.health();
  if (health.state === 'read-only') {
    throw new StorageError('STORAGE_FAILED', `nothing is stored for a while: ${health.because}`);
  }
  const room = await findRoom(content, disk, reserve);
  try {
    const taken = beside === undefined ? await leases.take(content.digest) : unleased();
    if (taken !== undefined) return await openLeased(content, disk, withRoom(taken, room));
  } catch (error) {
    room.release();
    throw error;
  }
  room.release();
  return 'taken';
}

async function findRoom(
  { digest, size }: ContentName,
  { usage }: StoreDisk,
  reserve: Reserve | undefined,
): Promise<Reservation> {
  const room = reserve === undefined ? { release: () => undefined } : await reserve(size);
  try {
    if (room !== undefined && (await usage.hasRoom(size))) return room;
  } catch (error) {
    room?.release();
    throw error;
  }
  room?.release();
  throw new StorageError('STORAGE_FAILED', `there is no room to store ${digest}`);
}

/** An owner's name without the lease: its file is its own all the same. */
function unleased(): Lease {
  return { owner: randomHex(8), release: () => Promise.resolve() };
}

function withRoom(lease: Lease, room: Reservation): Lease {
  return {
    owner: lease.owner,
    release() {
      room.release();
      return lease.release();
    },
  };
}

async function openLeased(
  content: ContentName,
  disk: StoreDisk,
  lease: Lease,
): Promise<Staging | 'stored'> {
  const { folder, files, own, usage } = disk;
  try {
    if ((await disk.infoOf(content.digest))?.size !== content.size) {
      return await openStaging(content, lease, {
        folder,
        files,
        boot: own.boot,
        onFailure: (error) => disk.onWriteFailure(error),
        onCommit: (bytes) => usage.added(bytes),
        inTurn: disk.inTurn,
      });
    }
  } catch (error) {
    await lease.release().catch((failure: unknown) => disk.onWriteFailure(failure));
    throw error;
  }
  await lease.release();
  return 'stored';
}
