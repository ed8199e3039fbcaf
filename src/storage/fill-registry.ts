import { abortable } from '../kernel/abort.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { BlobStore, ContentName } from './blob-store.ts';
import {
  defaultFillLimits,
  type FillLimits,
  type FillRange,
  type Fills,
  type FillSource,
} from './fill.ts';
import type { FillBegun } from './fill-task.ts';
import type { GrowingBlob, GrowthReader } from './growing-blob.ts';
import { readGrowing } from './growing-stream.ts';
import { type RunningFill, startFill } from './running-fill.ts';

export interface FillsOptions {
  readonly metrics?: Metrics | undefined;
  readonly limits?: Partial<FillLimits>;
}

/** Fills that ended just as they were to be joined, and the one that is begun then. */
const maxTries = 3;

export function makeFills(store: BlobStore, { metrics, limits = {} }: FillsOptions = {}): Fills {
  const fills = makeFillTable(store, { ...defaultFillLimits, ...limits }, metrics);
  return {
    async open(content, range, source, signal) {
      const reader: GrowthReader = {
        position: reachesEnd(range, content.size) ? (range?.first ?? 0) : 0,
        cut: () => undefined,
      };
      const attach = (): Promise<Joined> => join(fills, { content, source, reader }, signal);
      const joined = await attach();
      if (typeof joined !== 'object') return joined;
      const { growing, isFirst } = joined;
      const given = givenOf(range, growing);
      const again = async (): Promise<GrowingBlob | undefined> => {
        const next = await attach();
        return typeof next === 'object' ? next.growing : undefined;
      };
      const onEnd = (bytes: number): void => {
        if (!isFirst) metrics?.count('assay_bytes_saved_total', { tier: 'fill' }, bytes);
      };
      const { first = 0, last = content.size - 1 } = given ?? {};
      // Whoever began it has nobody else's source to blame.
      const terms = { start: first, end: last + 1, again: isFirst ? undefined : again, onEnd };
      return { stream: readGrowing(growing, reader, terms), range: given };
    },
    async follow(content, source, signal) {
      const found = fills.find(content, source);
      if (found === undefined || found.isEnding()) return undefined;
      const reader: GrowthReader = { position: 0, cut: () => undefined };
      if ((await waitFor(found, reader, signal)) !== 'growing') return undefined;
      const terms = { start: 0, end: content.size, again: undefined, onEnd: () => undefined };
      return readGrowing(found.growing, reader, terms);
    },
    isRunning: (content, source) => fills.find(content, source)?.isEnding() === false,
    close: () => fills.close(),
  };
}

function reachesEnd(range: FillRange | undefined, size: number): boolean {
  return range?.last === undefined || range.last === size - 1;
}

/** Till the hash is known, a range that ends early would be complete unverified. */
function givenOf(range: FillRange | undefined, growing: GrowingBlob): FillRange | undefined {
  return growing.isVerified || reachesEnd(range, growing.size) ? range : undefined;
}

interface Asked {
  readonly content: ContentName;
  readonly source: FillSource;
  readonly reader: GrowthReader;
}

type Joined =
  { readonly growing: GrowingBlob; readonly isFirst: boolean } | 'stored' | 'busy' | undefined;

/** Attaches the reader to a fill, and waits till bytes are coming. */
async function join(fills: FillTable, asked: Asked, signal: AbortSignal): Promise<Joined> {
  const { content, source } = asked;
  let hasTried = false;
  for (let tries = 0; tries < maxTries; tries += 1) {
    const found = fills.find(content, source);
    if (found?.isEnding()) {
      await abortable(found.ended, signal);
      continue;
    }
    const fill = found === undefined ? fills.begin(content, source) : fills.join(found);
    if (fill === undefined || !fill.growing.source.reaches(asked.reader.position)) return 'busy';
    const isFirst = found === undefined;
    try {
      const begun = await waitFor(fill, asked.reader, signal);
      if (begun !== 'lost') return toJoined(begun, fill, isFirst);
    } catch (error) {
      // Whoever only joined has a way of its own to try; once.
      if (signal.aborted || isFirst || hasTried) throw error;
      hasTried = true;
    }
    await abortable(fill.ended, signal);
  }
  return 'busy';
}

function toJoined(
  begun: Exclude<FillBegun, 'lost'>,
  { growing }: RunningFill,
  isFirst: boolean,
): Joined {
  if (begun === 'absent') return undefined;
  return begun === 'growing' ? { growing, isFirst } : begun;
}

/** The reader stays attached where bytes are coming. */
async function waitFor(
  { growing, begun }: RunningFill,
  reader: GrowthReader,
  signal: AbortSignal,
): Promise<FillBegun> {
  growing.attach(reader);
  try {
    const how = await abortable(begun, signal);
    if (how !== 'growing') growing.detach(reader);
    return how;
  } catch (error) {
    growing.detach(reader);
    throw error;
  }
}

/** The fills under way. */
interface FillTable {
  find(content: ContentName, source: Pick<FillSource, 'name'>): RunningFill | undefined;
  /** Undefined where too many are under way. */
  begin(content: ContentName, source: FillSource): RunningFill | undefined;
  /** The same fill, with one more reader counted. */
  join(fill: RunningFill): RunningFill;
  close(): Promise<void>;
}

function makeFillTable(
  store: BlobStore,
  limits: FillLimits,
  metrics: Metrics | undefined,
): FillTable {
  const fills = new Map<string, RunningFill>();
  let isClosed = false;
  const publish = (): void => metrics?.set('assay_fills_running', {}, fills.size);
  const forgetAtEnd = async (key: string, fill: RunningFill): Promise<void> => {
    await fill.ended;
    fills.delete(key);
    publish();
  };
  return {
    find: (content, source) => fills.get(keyOf(content, source)),
    begin(content, source) {
      if (isClosed || isFull(fills, source, limits)) return undefined;
      const isElsewhere = [...fills.keys()].some((key) => key.endsWith(` ${content.digest}`));
      const beside = isElsewhere ? 'beside' : undefined;
      const fill = startFill({ content, source, store, beside, limits }, metrics);
      const key = keyOf(content, source);
      fills.set(key, fill);
      publish();
      void forgetAtEnd(key, fill);
      return fill;
    },
    join(fill) {
      metrics?.count('assay_coalesced_total', { operation: 'fill' });
      return fill;
    },
    async close() {
      isClosed = true;
      const running = [...fills.values()];
      for (const fill of running) fill.stop('the proxy shuts down');
      await Promise.all(running.map(({ ended }) => ended));
    },
  };
}

function isFull(
  fills: ReadonlyMap<string, unknown>,
  { name }: FillSource,
  { maxFills, maxFillsPerSource }: FillLimits,
): boolean {
  if (fills.size >= maxFills) return true;
  return [...fills.keys()].filter((key) => key.startsWith(`${name} `)).length >= maxFillsPerSource;
}

function keyOf({ digest, size }: ContentName, { name }: Pick<FillSource, 'name'>): string {
  return `${name} ${size} ${digest}`;
}
