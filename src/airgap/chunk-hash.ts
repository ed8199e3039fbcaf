import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type Digest, digestOf } from '../oci/digest.ts';

/** Hashes the chunks of volumes, and where there are many of them on a thread of its own. */
export interface ChunkHash {
  /** SHA-256. The bytes must stay as they are until it resolves. */
  digest(bytes: Uint8Array): Promise<Digest>;
  close(): Promise<void>;
}

/** Memory that the thread looks at where it is; any other is copied for it. */
export function makeChunkMemory(bytes: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(bytes));
}

/**
 * V8 sets shared memory a byte at a time, so that no thread sees half of a word, unless it is a part
 * of a buffer that is copied. Nobody looks at ours meanwhile.
 */
export function copyIntoMemory(bytes: Uint8Array, memory: Buffer, at: number): void {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const last = Math.max(0, source.length - 1);
  source.copy(memory, at, 0, last);
  source.copy(memory, at + last, last);
}

/** To start a thread takes as long as to hash about as much. */
const inlineBytes = 32 * 1024 * 1024;

/** A thread that can't be had, or ends, is done without. */
export function makeChunkHash(): ChunkHash {
  let hashed = 0;
  let thread: HashThread | undefined;
  return {
    async digest(bytes) {
      hashed += bytes.byteLength;
      if (hashed <= inlineBytes) return digestOf(bytes);
      thread ??= startThread();
      return (await thread.ask(bytes)) ?? digestOf(bytes);
    },
    async close() {
      await thread?.end();
    },
  };
}

interface HashThread {
  /** Undefined: nobody is there any more. */
  ask(bytes: Uint8Array): Promise<Digest | undefined>;
  end(): Promise<void>;
}

/** Where the system gives no more threads. */
const noThread: HashThread = { ask: async () => undefined, end: async () => undefined };

function startThread(): HashThread {
  const file = new URL(`./chunk-hash-thread${extname(import.meta.filename)}`, import.meta.url);
  const resourceLimits = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 32 };
  try {
    return toThread(new Worker(file, { resourceLimits }));
  } catch {
    return noThread;
  }
}

function toThread(worker: Worker): HashThread {
  const waiting: ((digest: Digest | undefined) => void)[] = [];
  let isGone = false;
  const answer = (digest: Digest | undefined): void => {
    waiting.shift()?.(digest);
    // Only who waits for it keeps the process from ending.
    if (waiting.length === 0) worker.unref();
  };
  const leave = (): void => {
    isGone = true;
    while (waiting.length > 0) answer(undefined);
  };
  worker.on('message', answer);
  worker.once('error', leave);
  worker.once('exit', leave);
  return {
    async ask(bytes) {
      if (isGone) return undefined;
      const { promise, resolve } = Promise.withResolvers<Digest | undefined>();
      waiting.push(resolve);
      worker.ref();
      worker.postMessage(bytes, []);
      return promise;
    },
    async end() {
      await worker.terminate();
    },
  };
}
