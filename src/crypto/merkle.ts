import { createHash } from 'node:crypto';

/** That a leaf is in a tree of that size, by the hashes beside its way to the root. */
export interface InclusionProof {
  /** The leaf's place, from 0. */
  readonly index: number;
  /** Leaves of the tree. */
  readonly treeSize: number;
  /** From the leaf upwards, 32 bytes each. */
  readonly hashes: readonly Uint8Array[];
}

const hashBytes = 32;

/** RFC 6962, section 2.1: the hash of a leaf. */
export function leafHash(entry: Uint8Array): Uint8Array {
  return sha256(Uint8Array.of(0), entry);
}

/**
 * The root that the proof leads to, or undefined where it is no proof for such a tree: the index
 * outside it, or another number of hashes than the way has (RFC 9162, section 2.1.3.2). Whether the
 * root is the log's is the checkpoint's to say.
 */
export function rootOfProof(leaf: Uint8Array, proof: InclusionProof): Uint8Array | undefined {
  const { index, treeSize, hashes } = proof;
  if (!isPlace(index, treeSize)) return undefined;
  if ([leaf, ...hashes].some((hash) => hash.length !== hashBytes)) return undefined;
  let place = BigInt(index);
  let last = BigInt(treeSize) - 1n;
  let root = leaf;
  for (const hash of hashes) {
    if (last === 0n) return undefined;
    if (place % 2n === 1n || place === last) {
      root = sha256(Uint8Array.of(1), hash, root);
      // Where the way goes up without a sibling there is no hash.
      while (place % 2n === 0n && place !== 0n) {
        place >>= 1n;
        last >>= 1n;
      }
    } else {
      root = sha256(Uint8Array.of(1), root, hash);
    }
    place >>= 1n;
    last >>= 1n;
  }
  return last === 0n ? root : undefined;
}

function isPlace(index: number, treeSize: number): boolean {
  const areCounts = Number.isSafeInteger(index) && Number.isSafeInteger(treeSize);
  return areCounts && index >= 0 && index < treeSize;
}

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
