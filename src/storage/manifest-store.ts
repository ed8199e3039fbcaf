import { type Digest, matchesDigest } from '../oci/digest.ts';
import { makeByteLru } from './byte-lru.ts';
import { makeKeptLedger } from './kept-ledger.ts';
import type { KeyValue } from './key-value.ts';

/** Names kept content: what is known in one repository is not known in another. */
export interface KeptKey {
  /** A digest that was pulled as a blob does not answer for a manifest. */
  readonly kind: 'manifest' | 'blob';
  /** The repository with its upstream: `docker.io/library/nginx`. */
  readonly place: string;
  readonly digest: Digest;
}

export interface KeptContent {
  readonly bytes: Uint8Array;
  /** As upstream stated it. */
  readonly contentType: string | undefined;
}

/** Small content by digest: manifests, and the blobs of signatures. Never asked to forget. */
export interface ManifestStore {
  /** Bytes that have the digest, or undefined. */
  get(key: KeptKey): Promise<KeptContent | undefined>;
  /** `content` must have been checked against the digest; it is kept as long as there is room. */
  put(key: KeptKey, content: KeptContent): Promise<void>;
}

export interface ManifestStoreOptions {
  /** Of the values on disk; what was not used for longest goes first. */
  readonly maxBytes?: number;
  readonly maxEntries?: number;
  /** Of the copies in memory. */
  readonly maxMemoryBytes?: number;
}

const mebibyte = 1024 * 1024;

/**
 * Keeps content in a key-value store with an LRU in memory before it. What comes from the store
 * is hashed again: an entry that does not match is deleted and counts as absent.
 */
export function makeManifestStore(
  values: KeyValue,
  options: ManifestStoreOptions = {},
): ManifestStore {
  const { maxBytes = 512 * mebibyte, maxEntries = 50_000 } = options;
  const { maxMemoryBytes = 32 * mebibyte } = options;
  const recent = makeByteLru<KeptContent>(maxMemoryBytes);
  const ledger = makeKeptLedger(values, { maxBytes, maxEntries });
  return {
    async get(key) {
      const name = nameOf(key);
      const held = recent.get(name);
      if (held !== undefined) return held;
      const stored = await ledger.get(name);
      if (stored === undefined) return undefined;
      const content = decodeKept(stored);
      if (content === undefined || !matchesDigest(content.bytes, key.digest)) {
        await ledger.delete(name);
        return undefined;
      }
      recent.put(name, content, content.bytes.byteLength);
      return content;
    },
    async put(key, content) {
      const name = nameOf(key);
      recent.put(name, content, content.bytes.byteLength);
      await ledger.put(name, encodeKept(content));
    },
  };
}

function nameOf({ kind, place, digest }: KeptKey): string {
  return `kept/${kind}/${place}/${digest}`;
}

/** One byte of length, the content type in ASCII, the bytes. */
export function encodeKept({ bytes, contentType = '' }: KeptContent): Uint8Array {
  const type = Buffer.from(contentType, 'latin1').subarray(0, 255);
  return Buffer.concat([Buffer.of(type.length), type, bytes]);
}

/** Undefined for what `encodeKept` did not make. */
export function decodeKept(stored: Uint8Array): KeptContent | undefined {
  const [length] = stored;
  if (length === undefined || stored.byteLength < 1 + length) return undefined;
  const buffer = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength);
  const contentType = buffer.toString('latin1', 1, 1 + length);
  return {
    bytes: buffer.subarray(1 + length),
    contentType: contentType === '' ? undefined : contentType,
  };
}
