import type { Clock } from '../kernel/clock.ts';
import type { Digest } from '../oci/digest.ts';
import type { Swept } from './blob-store.ts';
import type { Pace } from './pace.ts';
import { bodyLimits } from './s3-body.ts';
import type { S3Keys } from './s3-keys.ts';
import type { S3Link } from './s3-link.ts';
import { purgeS3, type SharedPurged } from './s3-purge.ts';
import { scrubS3, type SharedScrubReport } from './s3-scrub.ts';
import { sweepLimits, sweepS3 } from './s3-sweep.ts';
import { measureS3, type SharedUsage } from './s3-usage.ts';
import type { ScrubOptions } from './scrub.ts';

/** What an operator does with the content that replicas share, beside those who use it. */
export interface SharedUpkeep {
  /** See `purgeS3`. */
  purge(wanted: ReadonlySet<Digest> | 'all', signal: AbortSignal): Promise<SharedPurged>;
  /** See `scrubS3`. It costs the traffic of all that is there. */
  scrub(options: ScrubOptions, pace: Pace, signal: AbortSignal): Promise<SharedScrubReport>;
  /** See `measureS3`. */
  usage(signal: AbortSignal): Promise<SharedUsage>;
  /** What was left unfinished, as a server does every few hours. Throws `StorageError`. */
  sweep(signal: AbortSignal): Promise<Swept>;
  close(): void;
}

export function makeS3Upkeep(link: S3Link, keys: S3Keys, clock: Clock): SharedUpkeep {
  const place = { link, keys };
  return {
    purge: (wanted, signal) => purgeS3(wanted, place, signal),
    scrub: (options, pace, signal) =>
      scrubS3({ ...place, limits: bodyLimits, clock, pace }, options, signal),
    usage: (signal) => measureS3(place, signal),
    sweep: (signal) => sweepS3({ ...place, limits: sweepLimits, clock }, signal),
    close: () => link.close(),
  };
}
