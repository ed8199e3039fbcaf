/**
 * Bounds of reading the configuration. Those of the running program stand with what they bound:
 * `compose/limits.ts` gathers the ones that compose hands out.
 */
export const limits = {
  maxConfigBytes: 1024 * 1024,
  /** Scalars, lists and mappings, with aliases counted in full. */
  maxConfigValues: 20_000,
  maxSecretBytes: 64 * 1024,
} as const;
