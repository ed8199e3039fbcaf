/** When something happened, on the word of somebody trusted: not before and not after. */
export interface TrustedTime {
  readonly earliest: Date;
  readonly latest: Date;
}
