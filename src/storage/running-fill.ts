import type { Metrics } from '../observe/metric-list.ts';
import type { FillLimits } from './fill.ts';
import { type EndedFill, type FillBegun, type FillTask, runFill } from './fill-task.ts';
import { type GrowingBlob, makeGrowingBlob } from './growing-blob.ts';
import { StorageError } from './storage-error.ts';

/** A fill under way, as those see it who may join. */
export interface RunningFill {
  readonly growing: GrowingBlob;
  /** Rejects with what kept it from beginning. */
  readonly begun: Promise<FillBegun>;
  /** Resolves when the next fill of the same content may begin. */
  readonly ended: Promise<void>;
  stop(why: string): void;
  /** Nobody joins it any more; the next one begins when its files are put away. */
  isEnding(): boolean;
}

export type FillTerms = Pick<FillTask, 'content' | 'source' | 'store' | 'beside' | 'limits'>;

/** A small rest is fetched whoever left. */
const smallRestBytes = 1024 * 1024;

export function startFill(terms: FillTerms, metrics: Metrics | undefined): RunningFill {
  const growing = makeGrowingBlob(terms.content.size);
  const stopping = new AbortController();
  const stop = (why: string): void =>
    stopping.abort(new StorageError('STORAGE_FAILED', `a fill was stopped: ${why}`));
  const { promise: begun, resolve, reject } = Promise.withResolvers<FillBegun>();
  // Nobody may be waiting any more.
  begun.catch(() => undefined);
  let isVain = false;
  watchReaders(growing, stop, terms.limits);
  const run = async (): Promise<void> => {
    try {
      const ended = await runFill({
        ...terms,
        growing,
        onBegun(begun) {
          isVain ||= begun !== 'growing';
          resolve(begun);
        },
        onResumed: (bytes) => metrics?.count('assay_fill_resumed_bytes_total', {}, bytes),
        signal: stopping.signal,
      });
      metrics?.count('assay_fills_total', { outcome: ended.outcome });
      releaseAfterReaders(growing, ended);
    } catch (mistake) {
      growing.fail(mistake);
    }
    reject(growing.failure?.error);
  };
  return {
    growing,
    begun,
    ended: run(),
    stop,
    isEnding: () => isVain || stopping.signal.aborted || growing.failure !== undefined,
  };
}

/** Ends a fill that nobody waits for: at once where little is done, else after some time. */
function watchReaders(
  growing: GrowingBlob,
  stop: (why: string) => void,
  { worthFinishing, unattendedMs }: FillLimits,
): void {
  let timer: NodeJS.Timeout | undefined;
  const giveUp = (): void => stop('nobody waits for it any more');
  growing.onReaders = () => {
    clearTimeout(timer);
    if (growing.readers.size > 0 || growing.isVerified || growing.failure !== undefined) return;
    const { bytes, size } = growing;
    const isWorth = bytes >= size * worthFinishing || size - bytes <= smallRestBytes;
    if (isWorth) timer = setTimeout(giveUp, unattendedMs).unref();
    else giveUp();
  };
}

function releaseAfterReaders(growing: GrowingBlob, ended: EndedFill): void {
  const look = (): void => {
    if (growing.readers.size > 0) return;
    growing.onReaders = () => undefined;
    ended.release().catch(() => undefined);
  };
  growing.onReaders = look;
  look();
}
