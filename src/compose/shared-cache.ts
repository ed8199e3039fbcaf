import type { Config } from '../config/schema.ts';
import type { Digest } from '../oci/digest.ts';
import type { Swept } from '../storage/blob-store.ts';
import type { Pace } from '../storage/pace.ts';
import type { SharedPurged } from '../storage/s3-purge.ts';
import type { SharedScrubReport } from '../storage/s3-scrub.ts';
import type { SharedUsage } from '../storage/s3-usage.ts';
import type { ScrubOptions } from '../storage/scrub.ts';
import { s3AddressOf } from './s3-address.ts';
import type { Observed } from './verifier.ts';

export type { SharedUsage } from '../storage/s3-usage.ts';
export type SharedPurge = SharedPurged;

/** The content that replicas share, for the commands of an operator. */
export interface SharedCache {
  /** All of it goes with what was left unfinished long ago. */
  purge(wanted: readonly Digest[] | 'all', signal: AbortSignal): Promise<SharedPurge>;
  /** `rate` in bytes a second. What was left unfinished long ago goes in the end. */
  scrub(
    options: ScrubOptions & { readonly rate?: number | undefined },
    signal: AbortSignal,
  ): Promise<SharedScrub>;
  /** Throws `StorageError`. */
  usage(signal: AbortSignal): Promise<SharedUsage>;
  close(): void;
}

export interface SharedScrub extends SharedScrubReport {
  /** What was left unfinished and was removed; undefined where that was not looked for. */
  readonly swept: Swept | undefined;
}

/** Throws `StartupError`. */
export async function openSharedCache(
  s3: NonNullable<Config['storage']['s3']>,
  paceOf: (rate: number | undefined) => Pace,
  observed: Observed,
): Promise<SharedCache> {
  const { openS3Upkeep } = await import('./s3-content.ts');
  const upkeep = openS3Upkeep({ address: await s3AddressOf(s3), prefix: s3.prefix }, observed);
  /** What can't be removed now is by a server, or the next time. */
  const sweep = (signal: AbortSignal): Promise<Swept | undefined> =>
    upkeep.sweep(signal).catch(() => undefined);
  return {
    async purge(wanted, signal) {
      const purged = await upkeep.purge(wanted === 'all' ? wanted : new Set(wanted), signal);
      if (wanted === 'all' && purged.stopped === undefined) await sweep(signal);
      return purged;
    },
    async scrub({ rate, ...options }, signal) {
      const report = await upkeep.scrub(options, paceOf(rate), signal);
      return { ...report, swept: report.isComplete ? await sweep(signal) : undefined };
    },
    usage: (signal) => upkeep.usage(signal),
    close: () => upkeep.close(),
  };
}
