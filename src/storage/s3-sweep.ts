import { type Clock, dayMs } from '../kernel/clock.ts';
import type { Swept } from './blob-store.ts';
import type { S3Keys } from './s3-keys.ts';
import type { S3Link } from './s3-link.ts';
import { listObjects } from './s3-listing.ts';

export interface SweepLimits {
  /** What has been on its way for longer belongs to a process that died. */
  readonly keepStagingMs: number;
  readonly keepQuarantineMs: number;
}

export const sweepLimits: SweepLimits = { keepStagingMs: dayMs, keepQuarantineMs: 30 * dayMs };

interface Parts {
  readonly link: S3Link;
  readonly keys: S3Keys;
  readonly limits: SweepLimits;
  readonly clock: Clock;
}

/** Listings of a thousand each, so that one sweep has an end. */
const maxPages = 100;

/**
 * Aborts uploads that were begun long ago, and deletes what they left and what was put aside.
 * Whole content is left alone: how long it stays is the bucket's business. Throws `StorageError`.
 */
export async function sweepS3(parts: Parts, signal: AbortSignal): Promise<Swept> {
  const { keys, limits } = parts;
  const uploads = await abortUploads(parts, signal);
  const staged = await removeOld(keys.allStaging, limits.keepStagingMs, parts, signal);
  const aside = await removeOld(keys.allQuarantine, limits.keepQuarantineMs, parts, signal);
  return { files: uploads + staged.files + aside.files, bytes: staged.bytes + aside.bytes };
}

async function abortUploads(
  { link, keys, limits, clock }: Parts,
  signal: AbortSignal,
): Promise<number> {
  let aborted = 0;
  for (const prefix of keys.allUploads) {
    const list = link.ask('list', (s3, own) => s3.listUploads(prefix, own), { signal });
    for (const upload of (await list) ?? []) {
      // As in `listObjects`: it may be somebody else's.
      if (!upload.key.startsWith(prefix)) continue;
      if (clock.now().getTime() - upload.begunAt.getTime() < limits.keepStagingMs) continue;
      await link.ask('upload', (s3, own) => s3.abortUpload(upload, own), { signal });
      aborted += 1;
    }
  }
  return aborted;
}

async function removeOld(
  prefix: string,
  maxAgeMs: number,
  { link, clock }: Parts,
  signal: AbortSignal,
): Promise<Swept> {
  const swept = { files: 0, bytes: 0 };
  for await (const { key, size, changedAt } of listObjects(link, { prefix, maxPages }, signal)) {
    if (clock.now().getTime() - changedAt.getTime() < maxAgeMs) continue;
    await link.ask('remove', (s3, own) => s3.remove(key, own), { signal });
    swept.files += 1;
    swept.bytes += size;
  }
  return swept;
}
