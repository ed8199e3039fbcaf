/** Who sends content in our place, and what they are told. */
export type Handover =
  /** The nginx in front of us sends the file that it finds there (X-Accel-Redirect). */
  | { readonly to: 'nginx'; readonly path: string }
  /** The client fetches it there; for a minute. */
  | { readonly to: 's3'; readonly url: string };
