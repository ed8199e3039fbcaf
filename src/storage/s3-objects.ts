import type { Readable } from 'node:stream';
import { forgetOldest } from '../kernel/bounded.ts';
import type { Digest } from '../oci/digest.ts';
import type { ContentName } from './blob-store.ts';
import { makeContentHash } from './content-hash.ts';

/** What this process has seen of objects, by digest and entity tag: an object that changes is another. */
export interface ObjectTags {
  /** The one that was opened last. */
  readOf(digest: Digest): string | undefined;
  noteRead(digest: Digest, etag: string): void;
  /** All of its bytes were hashed here, or sent from here. */
  rightOf(digest: Digest): string | undefined;
  noteRight(digest: Digest, etag: string): void;
  forgetRight(digest: Digest): void;
  isBad(digest: Digest, etag: string): boolean;
  noteBad(digest: Digest, etag: string): void;
}

const maxKnown = 20_000;

export function makeObjectTags(): ObjectTags {
  const read = new Map<Digest, string>();
  const right = new Map<Digest, string>();
  const bad = new Map<Digest, string>();
  return {
    readOf: (digest) => read.get(digest),
    noteRead: (digest, etag) => note(read, digest, etag),
    rightOf: (digest) => right.get(digest),
    noteRight: (digest, etag) => note(right, digest, etag),
    forgetRight: (digest) => void right.delete(digest),
    isBad: (digest, etag) => bad.get(digest) === etag,
    noteBad(digest, etag) {
      right.delete(digest);
      note(bad, digest, etag);
    },
  };
}

function note(tags: Map<Digest, string>, digest: Digest, etag: string): void {
  tags.delete(digest);
  tags.set(digest, etag);
  forgetOldest(tags, maxKnown);
}

/** All bytes of content, which must be small; undefined where they are others. */
export async function readWhole(
  stream: Readable,
  content: ContentName,
): Promise<Buffer | undefined> {
  const whole = Buffer.allocUnsafeSlow(content.size);
  const hash = makeContentHash(content);
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    if (hash.bytes + chunk.byteLength > content.size) return undefined;
    whole.set(chunk, hash.bytes);
    hash.update(chunk);
  }
  return hash.matches() ? whole : undefined;
}
