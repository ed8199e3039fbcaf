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

function startThread(): HashThread {
  const file = new URL(`./chunk-hash-thread${extname(import.meta.filename)}`, import.meta.url);
  const resourceLimits = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 32 };
  const worker = new Worker(file, { resourceLimits });
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
