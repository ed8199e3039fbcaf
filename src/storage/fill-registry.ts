import { abortable } from '../kernel/abort.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { BlobStore, ContentName } from './blob-store.ts';
import { defaultFillLimits, type FillLimits, type Fills, type FillSource } from './fill.ts';
import { type EndedFill, type FillBegun, type FillTask, runFill } from './fill-task.ts';
import { type GrowingBlob, type GrowthReader, makeGrowingBlob } from './growing-blob.ts';
import { readGrowing } from './growing-stream.ts';
import { StorageError } from './storage-error.ts';

interface Fill {
  readonly growing: GrowingBlob;
  readonly begun: Promise<FillBegun>;
  /** Resolves when the next fill of the same content may begin. */
  readonly ended: Promise<void>;
  stop(reason: Error): void;
  /** Nobody joins it any more; the next one begins when its files are put away. */
  isEnding(): boolean;
}

interface Joined {
  readonly growing: GrowingBlob;
  readonly isFirst: boolean;
}

/** A small rest is fetched whoever left. */
const smallRestBytes = 1024 * 1024;
/** Fills that ended just as they were to be joined, and the one that is begun then. */
const maxTries = 3;

export function makeFills(
  store: BlobStore,
  { metrics, limits = {} }: { readonly metrics?: Metrics; readonly limits?: Partial<FillLimits> },
): Fills {
  const bounds = { ...defaultFillLimits, ...limits };
  const fills = new Map<string, Fill>();
  let isClosed = false;

  const begin = (key: string, content: ContentName, source: FillSource): Fill => {
    const isElsewhere = [...fills.keys()].some((other) => other.endsWith(` ${content.digest}`));
    const beside = isElsewhere ? 'beside' : undefined;
    const fill = startFill({ content, source, store, beside, limits: bounds }, metrics);
    fills.set(key, fill);
    metrics?.set('assay_fills_running', {}, fills.size);
    void fill.ended.then(() => {
      fills.delete(key);
      metrics?.set('assay_fills_running', {}, fills.size);
    });
    return fill;
  };

  /** Attaches the reader, who waits till bytes are coming. */
  const join = async (
    content: ContentName,
    reader: GrowthReader,
    source: FillSource,
    signal: AbortSignal,
  ): Promise<Joined | 'stored' | 'busy' | undefined> => {
    const key = `${source.name} ${content.size} ${content.digest}`;
    let isFollower = true;
    for (let tries = 0; tries < maxTries; tries += 1) {
      const running = fills.get(key);
      if (running?.isEnding()) {
        await abortable(running.ended, signal);
        continue;
      }
      if (isClosed || (running === undefined && fills.size >= bounds.maxFills)) return 'busy';
      const fill = running ?? begin(key, content, source);
      const isFirst = running === undefined;
      if (!isFirst) metrics?.count('assay_coalesced_total', { operation: 'fill' });
      const { growing } = fill;
      if (!growing.reaches(reader.position)) return 'busy';
      growing.attach(reader);
      try {
        const begun = await abortable(fill.begun, signal);
        if (begun === 'growing') return { growing, isFirst };
        growing.detach(reader);
        if (begun === 'absent') return undefined;
        if (begun !== 'lost') return begun;
      } catch (error) {
        growing.detach(reader);
        // Whoever only joined has a source of its own to try; once.
        if (signal.aborted || isFirst || !isFollower) throw error;
        isFollower = false;
      }
      await abortable(fill.ended, signal);
    }
    return 'busy';
  };

  return {
    async open(content, range, source, signal) {
      const { size } = content;
      const reachesEnd = range?.last === undefined || range.last === size - 1;
      const reader: GrowthReader = {
        position: reachesEnd ? (range?.first ?? 0) : 0,
        cut: () => undefined,
      };
      const joined = await join(content, reader, source, signal);
      if (typeof joined !== 'object') return joined;
      const given = reachesEnd || joined.growing.isVerified ? range : undefined;
      const again = async (): Promise<GrowingBlob | undefined> => {
        const next = await join(content, reader, source, signal);
        return typeof next === 'object' ? next.growing : undefined;
      };
      const stream = readGrowing(joined.growing, reader, {
        start: given?.first ?? 0,
        end: (given?.last ?? size - 1) + 1,
        again: joined.isFirst ? undefined : again,
        onEnd(bytes) {
          if (!joined.isFirst) metrics?.count('assay_bytes_saved_total', { tier: 'fill' }, bytes);
        },
      });
      return { stream, range: given };
    },
    async close() {
      isClosed = true;
      const running = [...fills.values()];
      for (const fill of running) fill.stop(stopped('the proxy shuts down'));
      await Promise.all(running.map(({ ended }) => ended));
    },
  };
}

function startFill(
  terms: Pick<FillTask, 'content' | 'source' | 'store' | 'beside' | 'limits'>,
  metrics: Metrics | undefined,
): Fill {
  const growing = makeGrowingBlob(terms.content.size);
  const stopping = new AbortController();
  const { promise: begun, resolve, reject } = Promise.withResolvers<FillBegun>();
  let isVain = false;
  // Nobody may be waiting any more.
  begun.catch(() => undefined);
  watchReaders(growing, stopping, terms.limits);
  const running = runFill({
    ...terms,
    growing,
    onBegun(begun) {
      isVain ||= begun !== 'growing';
      resolve(begun);
    },
    onResumed: (bytes) => metrics?.count('assay_fill_resumed_bytes_total', {}, bytes),
    signal: stopping.signal,
  });
  const end = ({ outcome, release }: EndedFill): void => {
    reject(growing.failure?.error);
    metrics?.count('assay_fills_total', { outcome });
    releaseAfterReaders(growing, release);
  };
  const ended = running.then(end, (mistake: unknown) => {
    growing.fail(mistake);
    reject(mistake);
  });
  return {
    growing,
    begun,
    ended,
    stop: (reason) => stopping.abort(reason),
    isEnding: () => isVain || stopping.signal.aborted || growing.failure !== undefined,
  };
}

/** Ends a fill that nobody waits for: at once where little is done, else after some time. */
function watchReaders(growing: GrowingBlob, stopping: AbortController, limits: FillLimits): void {
  let timer: NodeJS.Timeout | undefined;
  const giveUp = (): void => stopping.abort(stopped('nobody waits for it any more'));
  growing.onReaders = () => {
    clearTimeout(timer);
    if (growing.readers.size > 0 || growing.isVerified || growing.failure !== undefined) return;
    const { bytes, size } = growing;
    const isWorth = bytes >= size * limits.worthFinishing || size - bytes <= smallRestBytes;
    if (!isWorth) giveUp();
    else timer = setTimeout(giveUp, limits.unattendedMs).unref();
  };
}

function stopped(why: string): StorageError {
  return new StorageError('STORAGE_FAILED', `a fill was stopped: ${why}`);
}

function releaseAfterReaders(growing: GrowingBlob, release: () => Promise<void>): void {
  const look = (): void => {
    if (growing.readers.size > 0) return;
    growing.onReaders = () => undefined;
    release().catch(() => undefined);
  };
  growing.onReaders = look;
  look();
}
