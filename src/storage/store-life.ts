/**
 * Whether a store still has what was put into it. One that others run may come back empty, or as
 * it was a moment ago; what memory says was stored may then not be there.
 */
export interface StoreLife {
  /** Grows each time that something may have been lost. */
  losses(): number;
  /**
   * Whether what is not there was never put, as far as can be told: false where that can't be found
   * out, and for a while after a loss. Asks the store.
   */
  isWhole(): Promise<boolean>;
}
