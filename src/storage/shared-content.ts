import type { Readable } from 'node:stream';
import type { ContentName, Swept } from './blob-store.ts';
import type { KeptContent, KeptKey } from './manifest-store.ts';

/**
 * Content that replicas leave for each other, beside what each has on its own disk. Whoever can
 * write there may have put anything under any name: what comes from it is as little believed as
 * what comes from an upstream. It may be away, and nothing but speed is lost.
 */
export interface SharedContent {
  /** False while nobody asks it, since it failed. */
  isUp(): boolean;
  /**
   * The bytes from `start` on; undefined where they are not there, are of another size, or can't
   * be had: it never throws but the signal's reason. Small content is hashed before any of it is
   * given; of all other the caller hashes what it gets, and says `putAside` where it is wrong.
   */
  open(content: ContentName, start: number, signal: AbortSignal): Promise<SharedBytes | undefined>;
  /**
   * Leaves content for others, unless it is there. The bytes are hashed on their way, and nobody
   * sees any of them before they are known to be right. Resolves when that has ended, whatever
   * came of it.
   */
  share(content: ContentName, open: OpenToShare): Promise<void>;
  /** What was read of it was wrong: nobody reads it any more. Resolves whatever comes of it. */
  putAside(content: ContentName): Promise<void>;
  /** A manifest that has the digest; undefined as with `open`. */
  getKept(key: KeptKey, signal: AbortSignal): Promise<KeptContent | undefined>;
  /** Resolves when it is there, or can't be. */
  putKept(key: KeptKey, content: KeptContent): Promise<void>;
  /**
   * A URL by which anybody may read the content for a minute; undefined unless this process has
   * seen itself that what is there now is right. Where it has not, it goes and looks, with what
   * `open` gives where nothing is there.
   */
  urlFor(content: ContentName, open: OpenToShare, signal: AbortSignal): Promise<string | undefined>;
  /** Removes what died left behind, and what was put aside long ago. */
  sweep(signal: AbortSignal): Promise<Swept>;
  /** Gives up what is under way. */
  close(): Promise<void>;
}

/** Undefined where the content can't be had after all. */
export type OpenToShare = (signal: AbortSignal) => Promise<Readable | undefined>;

export interface SharedBytes {
  /** Of the whole content. */
  readonly size: number;
  readonly stream: Readable;
}
