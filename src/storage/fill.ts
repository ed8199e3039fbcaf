import type { Readable } from 'node:stream';
import type { ContentName } from './blob-store.ts';

/**
 * Brings content into the store while clients read it. One fill a digest, whatever the number of
 * readers; it is a task of its own, and a reader that leaves or stalls costs nobody anything.
 */
export interface Fills {
  /**
   * Reads content from `start` to its end, from a fill under way or a new one. Resolves when
   * upstream's headers have come; undefined where upstream has no such content. The stream ends
   * well only once all bytes have the digest: its last 64 KiB are withheld till then. Rejects and
   * fails with what upstream's failure was. `busy`: no fill can be had; ask upstream directly.
   */
  open(
    content: ContentName,
    start: number,
    upstream: OpenUpstream,
    signal: AbortSignal,
  ): Promise<Readable | 'busy' | undefined>;
  /** Ends all fills and leaves what they have to be gone on with. */
  close(): Promise<void>;
}

/**
 * Opens the content upstream, from `start` if upstream can; undefined where it does not exist.
 * With a `validator` only the same representation is to be gone on with.
 */
export type OpenUpstream = (
  from: { readonly start: number; readonly validator?: string | undefined },
  signal: AbortSignal,
) => Promise<UpstreamBytes | undefined>;

export interface UpstreamBytes {
  /** Of the whole content; undefined where upstream does not say. */
  readonly size: number | undefined;
  /** Where the stream begins: 0, or what was asked for. */
  readonly start: number;
  readonly validator: string | undefined;
  readonly stream: Readable;
}
