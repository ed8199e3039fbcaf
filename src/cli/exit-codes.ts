/** What the process ends with; stable, so that scripts may branch on it. */
export const exitCodes = {
  /** The command did what it was asked to; of `verify` and `explain`: it would be served by the rules. */
  ok: 0,
  /** Not trusted, or not there. */
  untrusted: 1,
  /** We could not find out; another try may. */
  inconclusive: 2,
  /** The command line is wrong (EX_USAGE of sysexits.h). */
  usage: 64,
  /** A bug of ours (EX_SOFTWARE): never to be taken for a verdict. */
  internal: 70,
  /** The configuration, the trust policy or the trust store can't be used (EX_CONFIG). */
  badConfiguration: 78,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
