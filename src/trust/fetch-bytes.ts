/** A request for public, signed bytes: nothing in it is secret. */
export interface FetchRequest {
  readonly url: string;
  /** Sent by POST with its type; GET without. */
  readonly body?: { readonly type: string; readonly bytes: Uint8Array };
  readonly maxBytes: number;
}

/**
 * Fetches from a host that a certificate names, through a guard that compose/ hands in. Rejects for
 * whatever is no success within the bounds, with a message that may be shown.
 */
export type FetchBytes = (request: FetchRequest, signal: AbortSignal) => Promise<Uint8Array>;
