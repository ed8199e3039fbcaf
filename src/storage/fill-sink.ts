import type { Staging } from './blob-store.ts';
import { type ByteWindow, makeByteWindow } from './byte-window.ts';
import type { GrowingBlob } from './growing-blob.ts';

/** Where a fill puts what comes: onto the disk, or past it when the disk takes no more. */
export interface FillSink {
  /** Resolves when there is room for more. Rejects only when nobody is left to pass bytes to. */
  write(chunk: Uint8Array): Promise<void>;
  /** Resolves when all that was written is there for the readers. */
  flush(): Promise<void>;
  /** Whether all of it is on disk. */
  readonly isStored: boolean;
}

/** Bytes that wait while a write is under way; then upstream waits. */
const maxQueuedBytes = 256 * 1024;
const maxQueuedChunks = 512;
/** Bytes in memory for all readers together when there is no disk. */
const windowBytes = 1024 * 1024;

/**
 * Writes at the speed of the disk, never of a reader: what comes during one write is the next. If
 * a write fails, the readers get the same bytes through a window in memory, at the speed of the
 * slowest; one that takes nothing for `relayPatienceMs` is cut off.
 */
export function makeFillSink(
  staging: Staging,
  growing: GrowingBlob,
  relayPatienceMs: number,
): FillSink {
  let queue: Uint8Array[] = [];
  let queuedBytes = 0;
  let writing: Promise<void> | undefined;
  let window: ByteWindow | undefined;

  const drain = async (): Promise<void> => {
    while (queue.length > 0 && window === undefined) {
      const batch = queue;
      const bytes = queuedBytes;
      queue = [];
      queuedBytes = 0;
      try {
        await staging.append(batch);
      } catch {
        // The store has noted why. What it had of the batch before is not to be relied on.
        window = makeByteWindow(growing.bytes);
        growing.source.setWindow(window);
        for (const chunk of batch) window.push(chunk);
      }
      const [first] = batch;
      if (growing.bytes === 0 && first !== undefined) growing.source.setHead(first);
      growing.grow(growing.bytes + bytes);
    }
    writing = undefined;
  };
  const relay = async (chunk: Uint8Array): Promise<void> => {
    if (window === undefined) return;
    staging.pass(chunk);
    window.push(chunk);
    growing.grow(window.end);
    await makeRoom(window, growing, relayPatienceMs);
  };
  const flush = async (): Promise<void> => {
    await writing;
    const left = queue;
    queue = [];
    queuedBytes = 0;
    for (const chunk of left) await relay(chunk);
  };
  return {
    get isStored() {
      return window === undefined;
    },
    async write(chunk) {
      if (window !== undefined) {
        await flush();
        await relay(chunk);
        return;
      }
      queue.push(chunk);
      queuedBytes += chunk.byteLength;
      writing ??= drain();
      if (queuedBytes >= maxQueuedBytes || queue.length >= maxQueuedChunks) await flush();
    },
    flush,
  };
}

async function makeRoom(
  window: ByteWindow,
  growing: GrowingBlob,
  patienceMs: number,
): Promise<void> {
  for (;;) {
    const positions = [...growing.readers].map(({ position }) => position);
    // With nobody to pass the bytes to, and nowhere to keep them, there is no use in fetching them.
    if (positions.length === 0) throw new Error('nothing can be stored, and no reader is left');
    const slowest = Math.min(...positions);
    window.dropBefore(slowest);
    if (window.end - Math.max(window.start, slowest) < windowBytes) return;
    if (await comesOn(growing, patienceMs)) continue;
    for (const reader of growing.readers) {
      if (reader.position > slowest) continue;
      reader.cut(new Error('it took nothing while nothing could be stored'));
    }
  }
}

/** Whether a reader has come on, or gone, within the time. */
function comesOn(growing: GrowingBlob, patienceMs: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const before = growing.onReaders;
  const timer = setTimeout(() => resolve(false), patienceMs);
  growing.onReaders = () => {
    before();
    resolve(true);
  };
  return promise.finally(() => {
    clearTimeout(timer);
    growing.onReaders = before;
  });
}
