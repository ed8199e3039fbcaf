import { randomHex } from '../kernel/clock.ts';
import type { ContentName, Staging } from './blob-store.ts';
import { openStaging } from './fs-staging.ts';
import type { Lease } from './lease.ts';
import type { Reservation } from './room.ts';
import { StorageError } from './storage-error.ts';
import type { StoreDisk } from './store-disk.ts';

export type Reserve = (bytes: number) => Promise<Reservation | undefined>;

/** Room and the lease, then the file; each is given back if another can't be had. */
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
  const taking = beside === undefined ? leases.take(content.digest) : Promise.resolve(unleased());
  // Both at a time: upstream is asked only after them, and the first byte waits for that.
  const [room, taken] = await Promise.allSettled([findRoom(content, disk, reserve), taking]);
  const lease = taken.status === 'fulfilled' ? taken.value : undefined;
  if (room.status === 'fulfilled' && lease !== undefined) {
    return openLeased(content, disk, withRoom(lease, room.value));
  }
  if (room.status === 'fulfilled') room.value.release();
  await lease?.release().catch((error: unknown) => disk.onWriteFailure(error));
  for (const each of [taken, room]) if (each.status === 'rejected') throw each.reason;
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
