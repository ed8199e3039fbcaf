/** Every bound of the public listener. Milliseconds and bytes. */
export interface ServerLimits {
  /** From the request to the first byte of its answer; containerd gives up after 30 s. */
  readonly answerDeadlineMs: number;
  /** Until a request's headers are complete. */
  readonly headersTimeoutMs: number;
  /** Until a request is complete. */
  readonly requestTimeoutMs: number;
  /** Without a byte in either direction while a request is being answered. */
  readonly idleTimeoutMs: number;
  /** Between two requests of a connection; longer than a load balancer's 60 s. */
  readonly keepAliveTimeoutMs: number;
  readonly maxHeaderBytes: number;
  readonly maxConnections: number;
  readonly maxRequestsPerConnection: number;
  /** Requests sent ahead on one connection without waiting for answers. */
  readonly maxPipelinedRequests: number;
  /** A reader that takes less than `minBytes` in each interval is cut off. */
  readonly slowReader: { readonly intervalMs: number; readonly minBytes: number };
}

export const serverLimits: ServerLimits = {
  answerDeadlineMs: 19_000,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  idleTimeoutMs: 60_000,
  keepAliveTimeoutMs: 75_000,
  maxHeaderBytes: 16 * 1024,
  maxConnections: 10_000,
  maxRequestsPerConnection: 10_000,
  maxPipelinedRequests: 16,
  slowReader: { intervalMs: 60_000, minBytes: 64 * 1024 },
};

export const maxUrlBytes = 4096;
export const maxTagsPerPage = 1000;
export const maxReferrersPerPage = 1000;
/** As large as a manifest may be: some clients read an index with the same bound. */
export const maxReferrersBytes = 4 * 1024 * 1024;
/** distribution-spec, Warnings: all warnings of an answer together. */
export const maxWarningBytes = 4096;
export const maxDenialMessageLength = 299;
