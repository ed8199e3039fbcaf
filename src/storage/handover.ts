/** Who could send in our place. */
export interface HandoverTakers {
  /**
   * Where a proxy of ours, by which the request came, says that it has stored content; undefined
   * for whoever is no such proxy: an answer that only nginx can complete would look whole to it.
   */
  readonly proxyLocation: string | undefined;
}

/** Who sends content in our place, and what they are told. */
export type Handover =
  /** The nginx in front of us sends the file that it finds there (X-Accel-Redirect). */
  | { readonly to: 'nginx'; readonly path: string }
  /** The client fetches it there; for a minute. */
  | { readonly to: 's3'; readonly url: string };
