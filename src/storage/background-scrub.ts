import type { Clock } from '../kernel/clock.ts';
import { isObject, JsonError, readJson } from '../kernel/json.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import { type Digest, parseDigest } from '../oci/digest.ts';
import type { BlobStore, ScrubLease } from './blob-store.ts';
import type { KeyValue } from './key-value.ts';
import type { Wait } from './pace.ts';
import { scrub, type ScrubDependencies, type ScrubProgress } from './scrub.ts';

export interface BackgroundScrubDependencies extends ScrubDependencies {
  readonly store: ScrubDependencies['store'] & Pick<BlobStore, 'beginScrub'>;
  /** Where it is written how far the scrub has come, so that a restart goes on from there. */
  readonly values: Pick<KeyValue, 'get' | 'put'>;
  readonly clock: Clock;
  readonly wait: Wait;
  /** From one beginning to the next. */
  readonly everyMs: number;
}

/** One scrub of everything, over as many runs of the program as it takes. */
interface Round {
  readonly beganMs: number;
  readonly position: Digest | undefined;
  readonly isDone: boolean;
}

const key = 'scrub';
const savePauseMs = 30_000;
const retryPauseMs = 600_000;

/**
 * Scrubs again and again until its signal aborts; never rejects. Of the processes on one store, one
 * does so at a time; the others look now and then whether it still does.
 */
export async function scrubInBackground(
  dependencies: BackgroundScrubDependencies,
  signal: AbortSignal,
): Promise<void> {
  const { log, wait, store } = dependencies;
  while (!signal.aborted) {
    try {
      const done = await waitUntilDue(dependencies, signal);
      const lease = await store.beginScrub();
      if (lease === undefined) await wait(retryPauseMs, signal);
      else await scrubAlone(dependencies, lease, done, signal);
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ because: messageOf(error) }, 'the stored content could not be scrubbed');
      await wait(retryPauseMs, signal).catch(() => undefined);
    }
  }
}

/** Resolves with the last scrub that came to its end. */
async function waitUntilDue(
  { values, clock, wait, everyMs }: BackgroundScrubDependencies,
  signal: AbortSignal,
): Promise<Round | undefined> {
  const last = await readRound(values);
  if (last?.isDone !== true) return undefined;
  // A clock that was set back must not put the next one off for ever.
  const sinceMs = Math.max(0, clock.now().getTime() - last.beganMs);
  if (sinceMs < everyMs) await wait(everyMs - sinceMs, signal);
  return last;
}

async function scrubAlone(
  dependencies: BackgroundScrubDependencies,
  lease: ScrubLease,
  done: Round | undefined,
  signal: AbortSignal,
): Promise<void> {
  try {
    const last = await readRound(dependencies.values);
    // Another process may have done it since.
    const isDue = last?.isDone !== true || last.beganMs === done?.beganMs;
    if (isDue) await scrubOnce(dependencies, lease, last, signal);
  } finally {
    await lease.release().catch(() => undefined);
  }
}

async function scrubOnce(
  dependencies: BackgroundScrubDependencies,
  lease: ScrubLease,
  last: Round | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { values, clock, log } = dependencies;
  const isNew = last === undefined || last.isDone;
  const beganMs = isNew ? clock.now().getTime() : last.beganMs;
  const save = (position: Digest | undefined, isDone = false): Promise<void> =>
    values.put(key, render({ beganMs, position, isDone }));
  const lost = new AbortController();
  let savedMs = clock.monotonicMs();
  const note = async (position: Digest | undefined): Promise<void> => {
    if (await lease.renew()) await save(position);
    else lost.abort();
  };
  const onProgress = ({ position }: ScrubProgress): void => {
    if (clock.monotonicMs() - savedMs < savePauseMs) return;
    savedMs = clock.monotonicMs();
    // Not waited for: it only spares a restart some work.
    note(position).catch(() => undefined);
  };
  const after = isNew ? undefined : last.position;
  const { isComplete, position, ...found } = await scrub(
    dependencies,
    { after, onProgress },
    AbortSignal.any([signal, lost.signal]),
  );
  // Whoever has taken over goes on from what it has noted itself.
  if (lost.signal.aborted) return;
  await save(position, isComplete);
  if (isComplete) log.info(found, 'the stored content was scrubbed');
}

function render({ beganMs, position, isDone }: Round): Uint8Array {
  return Buffer.from(JSON.stringify({ beganMs, position, isDone }));
}

/** What can't be read was never begun. */
async function readRound(values: Pick<KeyValue, 'get'>): Promise<Round | undefined> {
  const bytes = await values.get(key);
  if (bytes === undefined) return undefined;
  try {
    const found = readJson(bytes);
    if (!isObject(found)) return undefined;
    const { beganMs, position, isDone } = found;
    if (typeof beganMs !== 'number' || typeof isDone !== 'boolean') return undefined;
    return {
      beganMs,
      isDone,
      position: typeof position === 'string' ? parseDigest(position) : undefined,
    };
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}
