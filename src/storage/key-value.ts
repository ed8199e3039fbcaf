/** Small values by name, such as verdicts, closures and tag pins. Values are opaque bytes. */
export interface KeyValue {
  get(key: string): Promise<Uint8Array | undefined>;
  /** Resolves once the value is visible to every reader; it may be lost by a power cut. */
  put(key: string, value: Uint8Array): Promise<void>;
  delete(key: string): Promise<void>;
  /** Keys that begin with `prefix`, in order, at most `limit`. */
  keys(prefix: string, limit: number): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** Longest key that every implementation takes (LMDB's default page allows 1978 bytes). */
export const maxKeyBytes = 1024;
