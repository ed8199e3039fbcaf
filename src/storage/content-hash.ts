import { createHash } from 'node:crypto';
import { algorithmOf, encodedOf } from '../oci/digest.ts';
import type { ContentName } from './blob-store.ts';

/** The hash of content that comes piece by piece. */
export interface ContentHash {
  readonly bytes: number;
  update(chunk: Uint8Array): void;
  /** In hex, of the bytes so far. */
  soFar(): string;
  /** Whether the bytes so far are the content: its size and its digest. */
  matches(): boolean;
}

export function makeContentHash({ digest, size }: ContentName): ContentHash {
  const hash = createHash(algorithmOf(digest));
  let bytes = 0;
  const soFar = (): string => hash.copy().digest('hex');
  return {
    get bytes() {
      return bytes;
    },
    update(chunk) {
      bytes += chunk.byteLength;
      hash.update(chunk);
    },
    soFar,
    matches: () => bytes === size && soFar() === encodedOf(digest),
  };
}
