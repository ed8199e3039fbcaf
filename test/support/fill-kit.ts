import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Test } from 'tap';
import { systemClock } from '../../src/kernel/clock.ts';
import type { BlobStore } from '../../src/storage/blob-store.ts';
import type {
  FillLimits,
  FillRange,
  FillReading,
  Fills,
  FillSource,
  UpstreamBytes,
} from '../../src/storage/fill.ts';
import { makeFills } from '../../src/storage/fill-registry.ts';
import type { FileSystem } from '../../src/storage/file-system.ts';
import { openFsBlobStore } from '../../src/storage/fs-blob-store.ts';
import { makeMetrics, type MetricsRegistry } from '../../src/observe/metrics.ts';
import { type Content, makeContent } from '../contract/blob-store.ts';

export const mebibyte = 1024 * 1024;
export const withheldBytes = 64 * 1024;

/** A stream whose bytes a test sends when it likes. */
export interface ManualStream {
  readonly stream: Readable;
  /** Resolves when the reader wants more than was sent so far. */
  send(bytes: Uint8Array): Promise<void>;
  end(): void;
  cut(error?: Error): void;
  readonly closed: Promise<void>;
}

export function makeManualStream(): ManualStream {
  let wanted = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const stream = new Readable({
    highWaterMark: 1,
    read: () => wanted.resolve(),
    destroy(error, done) {
      closed.resolve();
      wanted.resolve();
      done(error);
    },
  });
  return {
    stream,
    closed: closed.promise,
    async send(bytes) {
      if (stream.destroyed) return;
      wanted = Promise.withResolvers();
      stream.push(bytes);
      await wanted.promise;
    },
    end: () => void stream.push(null),
    cut: (error = new Error('the connection broke')) => void stream.destroy(error),
  };
}

export interface Asked {
  readonly start: number;
  readonly validator: string | undefined;
}

export type Answer = (asked: Asked, signal: AbortSignal) => Promise<UpstreamBytes | undefined>;

export interface ScriptedSource extends FillSource {
  readonly asked: Asked[];
  mismatches: number;
}

/** Answers in turn; the last answer goes on for ever. */
export function makeSource(answers: readonly Answer[], name = 'up'): ScriptedSource {
  const source: ScriptedSource = {
    name,
    asked: [],
    mismatches: 0,
    async open(from, signal) {
      source.asked.push(from);
      const answer = answers[Math.min(source.asked.length, answers.length) - 1]!;
      return answer(from, signal);
    },
    onMismatch() {
      source.mismatches += 1;
    },
  };
  return source;
}

/** What an honest upstream sends: all of the content, or the rest that is asked for. */
export function whole({ bytes }: Content, pieceBytes = 50_000): Answer {
  return async ({ start }) => ({
    size: bytes.length,
    start,
    validator: '"v1"',
    stream: Readable.from(piecesOf(bytes.subarray(start), pieceBytes)),
  });
}

export function* piecesOf(bytes: Buffer, pieceBytes: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

/** What a test sends by hand, from where it is asked for. */
export function manual({ name }: Content, stream: ManualStream, start?: number): Answer {
  return async (asked) => ({
    size: name.size,
    start: start ?? asked.start,
    validator: '"v1"',
    stream: stream.stream,
  });
}

export interface FillKit {
  readonly path: string;
  readonly store: BlobStore;
  readonly fills: Fills;
  readonly metrics: MetricsRegistry;
  readonly content: Content;
  open(source: FillSource, range?: FillRange): Promise<FillReading>;
  /** Another process' store and fills over the same folder. */
  other(): Promise<FillKit>;
}

export interface FillKitOptions {
  readonly content?: Content;
  readonly limits?: Partial<FillLimits>;
  readonly files?: FileSystem;
  /** Of a kit before this one, which is closed with it. */
  readonly path?: string;
  readonly closers?: (() => Promise<void>)[];
}

/** A folder that goes when all that is in it is closed. */
function makeFolder(t: Test): { readonly path: string; readonly closers: (() => Promise<void>)[] } {
  const path = mkdtempSync(join(tmpdir(), 'assay-fill-'));
  const closers: (() => Promise<void>)[] = [];
  t.teardown(async () => {
    for (const close of closers) await close();
    rmSync(path, { recursive: true });
  });
  return { path, closers };
}

export async function openFillKit(t: Test, options: FillKitOptions = {}): Promise<FillKit> {
  const { content = makeContent(700_000), files } = options;
  const owned = options.path === undefined ? makeFolder(t) : undefined;
  const path = options.path ?? owned!.path;
  const metrics = makeMetrics();
  const store = await openFsBlobStore({ path }, { clock: systemClock, metrics, files });
  const limits = { resumePausesMs: [0, 0], followPollMs: 1, ...options.limits };
  const fills = makeFills(store, { metrics, limits });
  const { closers = owned!.closers } = options;
  closers.push(async () => {
    await fills.close();
    await store.close();
  });
  return {
    path,
    store,
    fills,
    metrics,
    content,
    async open(source, range) {
      const opened = await fills.open(content.name, range, source, new AbortController().signal);
      if (typeof opened !== 'object') throw new Error(`no stream but ${opened}`);
      return opened;
    },
    other: () => openFillKit(t, { ...options, content, path, closers }),
  };
}

/** All that a stream gives; undefined where it fails. */
export async function outcomeOf(reading: Promise<FillReading>): Promise<Buffer | string> {
  try {
    return await buffer((await reading).stream);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Resolves once the content is in the store. */
export async function stored({ store, content }: FillKit): Promise<void> {
  while ((await store.stat(content.name.digest)) === undefined) {
    await new Promise(setImmediate);
  }
}

export async function valueOf(metrics: MetricsRegistry, line: string): Promise<number> {
  const text = await metrics.render();
  const found = text.split('\n').find((each) => each.startsWith(`${line} `));
  return Number(found?.slice(line.length + 1) ?? 0);
}

/** Reads on, and resolves with what has come once it is so many bytes. */
export function reads(stream: Readable, bytes: number): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let length = 0;
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= bytes) resolve(Buffer.concat(chunks));
  });
  return promise;
}
