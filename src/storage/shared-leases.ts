/**
 * Who of all replicas does some work at the moment, so that the others wait for it. Nothing rests
 * on it but who waits: a lease may end or be lost while its work goes on, and two replicas may then
 * do the same.
 */
export interface SharedLeases {
  /**
   * Takes it for `forMs` at most; undefined while another has it. Throws `StorageError` where
   * nobody can say.
   */
  take(name: string, forMs: number): Promise<SharedLease | undefined>;
}

export interface SharedLease {
  /** Grows with each lease of the name, within a day: which of two owners came later. */
  readonly token: number;
  /** Has it for so long from now on, unless it is another's by now. Never rejects. */
  renew(forMs: number): Promise<void>;
  /** Gives it back, unless it is another's by now. Never rejects. */
  release(): Promise<void>;
}
