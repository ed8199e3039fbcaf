import type { Readable } from 'node:stream';
import type { ContentName } from './blob-store.ts';
import type { PieceStream } from './read-pieces.ts';

/**
 * Brings content into the store while clients read it. One fill a digest, whatever the number of
 * readers; it is a task of its own, and a reader that leaves or stalls costs nobody anything.
 */
export interface Fills {
  /**
   * Reads content along with a fill under way or a new one. Resolves when upstream's headers have
   * come; undefined where upstream has no such content. The stream ends well only once all bytes
   * have the digest: its last 64 KiB are withheld till then. A range that does not go to the end
   * would be complete before; till the hash is known, all of the content is given in its place.
   * Rejects and fails with what upstream's failure was. `stored`: it is in the store by now;
   * `busy`: no fill can be had, ask upstream directly.
   */
  open(
    content: ContentName,
    range: FillRange | undefined,
    source: FillSource,
    signal: AbortSignal,
  ): Promise<FillReading | 'stored' | 'busy' | undefined>;
  /**
   * All of the content along with a fill under way, for whoever does something else with it than
   * answer a client: nothing is begun for it, and nothing counted. Undefined where there is none.
   */
  follow(
    content: ContentName,
    source: Pick<FillSource, 'name'>,
    signal: AbortSignal,
  ): Promise<PieceStream | undefined>;
  /** Whether a fill is under way that `open` would join. */
  isRunning(content: ContentName, source: Pick<FillSource, 'name'>): boolean;
  /** Ends all fills and leaves what they have to be gone on with. */
  close(): Promise<void>;
}

/** Offsets of the first and the last byte, both included; without a last one, to the end. */
export interface FillRange {
  readonly first: number;
  readonly last?: number | undefined;
}

export interface FillReading {
  readonly stream: PieceStream;
  /** What the stream is; undefined: all of the content. */
  readonly range: FillRange | undefined;
}

/** Where a fill gets its content from. */
export interface FillSource {
  /** Fills of one name share what they fetch. What another is stuck with concerns them not. */
  readonly name: string;
  /**
   * Opens the content, from `start` if upstream can; undefined where it does not exist. With a
   * `validator`, only the same representation is to be gone on with.
   */
  open(
    from: { readonly start: number; readonly validator: string | undefined },
    signal: AbortSignal,
  ): Promise<UpstreamBytes | undefined>;
  /** The bytes were not what the digest names. */
  onMismatch(): void;
}

export interface UpstreamBytes {
  /** Of the whole content; undefined where upstream does not say. */
  readonly size: number | undefined;
  /** Where the stream begins: what was asked for, or a place before it. */
  readonly start: number;
  readonly validator: string | undefined;
  readonly stream: Readable;
}

export interface FillLimits {
  /** Fills under way at the same time; what is beyond is not stored. */
  readonly maxFills: number;
  /** Those of one source: some are left to others when it is slow. */
  readonly maxFillsPerSource: number;
  /** Without a reader, a fill that has less than this share of its content is given up. */
  readonly worthFinishing: number;
  /** Without a reader, any other fill is given up after so long. */
  readonly unattendedMs: number;
  /** When nothing can be written: how long the others wait for one reader that takes nothing. */
  readonly relayPatienceMs: number;
  /** How often the file of another process is looked at, and how long without a new byte. */
  readonly followPollMs: number;
  readonly followPatienceMs: number;
  /** Pauses before a broken fill is gone on with; each a try. */
  readonly resumePausesMs: readonly number[];
}

export const defaultFillLimits: FillLimits = {
  maxFills: 256,
  maxFillsPerSource: 192,
  worthFinishing: 0.1,
  unattendedMs: 15 * 60_000,
  relayPatienceMs: 10_000,
  followPollMs: 50,
  followPatienceMs: 15_000,
  resumePausesMs: [100, 1_000],
};
