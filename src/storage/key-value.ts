import type { OnTrail, Trail } from './trail.ts';

/** Small values by name, such as verdicts, closures and tag pins. Values are opaque bytes. */
export interface KeyValue {
  get(key: string): Promise<Uint8Array | undefined>;
  /** Resolves once the value is visible to every reader; it may be lost by a power cut. */
  put(key: string, value: Uint8Array, options?: PutOptions): Promise<void>;
  delete(key: string): Promise<void>;
  /** Keys that begin with `prefix`, in order, at most `limit`. */
  keys(prefix: string, limit: number): Promise<readonly string[]>;
  /** The same with their values. */
  entries(prefix: string, limit: number): Promise<readonly KeyValueEntry[]>;
  /** Reads all that is on a trail in one turn. Absent where reads take no turns. */
  readonly follow?: (trail: Trail) => Promise<OnTrail>;
  close(): Promise<void>;
}

export interface KeyValueEntry {
  readonly key: string;
  readonly value: Uint8Array;
}

export interface PutOptions {
  /**
   * When so long has passed since it was last put, the store may let it go, and need not: what is
   * over says so itself. Unset: it is kept.
   */
  readonly keepMs?: number;
}

/** Longest key that every implementation takes (LMDB's default page allows 1978 bytes). */
export const maxKeyBytes = 1024;
