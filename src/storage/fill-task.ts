import { setTimeout as delay } from 'node:timers/promises';
import { toError } from '../kernel/tagged-error.ts';
import type { BlobStore, ContentName, Staging } from './blob-store.ts';
import type { FillLimits, FillSource, UpstreamBytes } from './fill.ts';
import { type FillSink, makeFillSink } from './fill-sink.ts';
import { followOther } from './follow-other.ts';
import type { GrowingBlob } from './growing-blob.ts';
import { StorageError } from './storage-error.ts';

/** How a fill ended; what it failed with is in its growing blob. */
export type FillOutcome =
  | 'stored'
  /** Another process stored it. */
  | 'followed'
  /** Another process began to, and gave it up. */
  | 'lost'
  | 'absent'
  | 'mismatch'
  | 'upstream'
  /** Nobody was left who wanted it. */
  | 'given-up'
  /** Passed through, or not begun, since nothing could be stored. */
  | 'disk';

/** `busy`: nothing can be stored. `lost`: another process gave it up, and it may be begun anew. */
export type FillBegun = 'growing' | 'absent' | 'busy' | 'stored' | 'lost';

export interface FillTask {
  readonly content: ContentName;
  readonly source: FillSource;
  readonly growing: GrowingBlob;
  readonly store: BlobStore;
  /** Whether this process fetches the same from elsewhere too. */
  readonly beside: 'beside' | undefined;
  readonly limits: FillLimits;
  /** Called once, when the first bytes are coming; or when there are none, and why. */
  readonly onBegun: (begun: FillBegun) => void;
  readonly onResumed: (bytes: number) => void;
  /** Aborts when nobody is left, or the process ends. */
  readonly signal: AbortSignal;
}

export interface EndedFill {
  readonly outcome: FillOutcome;
  /** For when the last reader has ended. */
  release(): Promise<void>;
}

/** Runs one fill to its end; never rejects. */
export async function runFill(task: FillTask): Promise<EndedFill> {
  const { content, store, beside, onBegun, growing } = task;
  let staging: Staging | 'taken' | 'stored';
  try {
    staging = await store.begin(content, beside);
  } catch {
    onBegun('busy');
    return { outcome: 'disk', release: nothing };
  }
  if (staging === 'stored') {
    onBegun('stored');
    return { outcome: 'followed', release: nothing };
  }
  if (staging === 'taken') return followOther(task);
  const begun = staging;
  growing.source.setFile((into, position) => begun.read(into, position));
  const outcome = await fillStaging(task, begun);
  return { outcome, release: () => begun.release() };
}

function nothing(): Promise<void> {
  return Promise.resolve();
}

async function fillStaging(task: FillTask, staging: Staging): Promise<FillOutcome> {
  const { content, source, growing, limits, onResumed, onBegun, signal } = task;
  const { prefixBytes } = staging;
  if (prefixBytes > 0) onResumed(prefixBytes);
  growing.grow(prefixBytes);
  const sink = makeFillSink(staging, growing, limits.relayPatienceMs);
  try {
    if ((await fetchRest(task, staging, sink)) === 'absent') {
      onBegun('absent');
      await staging.keep();
      return 'absent';
    }
    if (!staging.matches()) throw mismatch(content, 'has other bytes');
  } catch (error) {
    // Its bytes can't be gone on with: they are wrong, or not all of them were written.
    const isMismatch = error instanceof StorageError && error.code === 'CONTENT_MISMATCH';
    if (isMismatch) source.onMismatch();
    if (isMismatch || !sink.isStored) await staging.discard();
    else await staging.keep();
    growing.fail(error);
    if (isMismatch) return 'mismatch';
    return signal.aborted || !sink.isStored ? 'given-up' : 'upstream';
  }
  growing.verify();
  return settle(staging, sink);
}

/** The readers have all they need by now; the disk may take its time. */
async function settle(staging: Staging, sink: FillSink): Promise<FillOutcome> {
  if (sink.isStored) {
    try {
      await staging.commit();
      return 'stored';
    } catch {
      // The store has noted why.
    }
  }
  await staging.discard();
  return 'disk';
}

/** All that is missing, over as many connections as it takes. */
async function fetchRest(
  task: FillTask,
  staging: Staging,
  sink: FillSink,
): Promise<'all' | 'absent'> {
  const { content, growing, limits, onBegun, signal } = task;
  let broken: { readonly error: unknown } | undefined;
  let validator = staging.validator;
  let tries = 0;
  while (growing.bytes < content.size) {
    const upstream = await openRest(task, validator, broken);
    if (upstream === undefined) return 'absent';
    onBegun('growing');
    if (validator === undefined && upstream.validator !== undefined) {
      validator = upstream.validator;
      await staging.noteValidator(validator);
    }
    const before = growing.bytes;
    try {
      await pump(upstream, task, sink);
      break;
    } catch (error) {
      if (error instanceof StorageError || !sink.isStored || signal.aborted) throw error;
      // A connection that breaks after the last byte has done its work.
      if (growing.bytes === content.size) break;
      broken = { error };
      if (growing.bytes - before >= worthResumingBytes) tries = 0;
      const pauseMs = limits.resumePausesMs[tries];
      if (pauseMs === undefined) throw error;
      tries += 1;
      await delay(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
  onBegun('growing');
  return 'all';
}

/** A connection that brought so much before it broke was worth another one. */
const worthResumingBytes = 1024 * 1024;

async function openRest(
  { content, source, growing, signal }: FillTask,
  validator: string | undefined,
  broken: { readonly error: unknown } | undefined,
): Promise<UpstreamBytes | undefined> {
  let upstream: UpstreamBytes | undefined;
  try {
    upstream = await source.open({ start: growing.bytes, validator }, signal);
  } catch (error) {
    throw broken === undefined ? error : broken.error;
  }
  if (upstream === undefined && broken !== undefined) throw broken.error;
  const { size } = upstream ?? {};
  if (size === undefined || size === content.size) return upstream;
  upstream?.stream.on('error', () => undefined).destroy();
  const because = `upstream has ${size} bytes for ${content.digest}, its manifest says ${content.size}`;
  throw new StorageError('CONTENT_MISMATCH', because);
}

async function pump(
  { start, stream }: UpstreamBytes,
  { content, growing, signal }: FillTask,
  sink: FillSink,
): Promise<void> {
  let skip = growing.bytes - start;
  let received = growing.bytes;
  const stop = (): void => void stream.destroy(toError(signal.reason));
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (signal.aborted) stop();
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      const rest = skip === 0 ? chunk : chunk.subarray(Math.min(skip, chunk.byteLength));
      skip -= chunk.byteLength - rest.byteLength;
      received += rest.byteLength;
      if (received > content.size) throw mismatch(content, `goes on after ${content.size} bytes`);
      if (rest.byteLength > 0) await sink.write(rest);
    }
  } finally {
    signal.removeEventListener('abort', stop);
    await sink.flush();
  }
  if (received < content.size) {
    throw mismatch(content, `ended after ${received} of ${content.size} bytes`);
  }
}

function mismatch({ digest }: ContentName, what: string): StorageError {
  return new StorageError('CONTENT_MISMATCH', `the content for ${digest} ${what}`);
}
