import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Test } from 'tap';
import type { Clock } from '../../src/kernel/clock.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { openS3Client, type S3Address } from '../../src/storage/s3-client.ts';
import { makeS3Content, type S3ContentLimits } from '../../src/storage/s3-content.ts';
import { makeS3Keys, type S3Keys } from '../../src/storage/s3-keys.ts';
import { makeS3Link, s3LinkLimits, type S3LinkLimits } from '../../src/storage/s3-link.ts';
import { makeS3Upkeep, type SharedUpkeep } from '../../src/storage/s3-upkeep.ts';
import type { OpenToShare, SharedContent } from '../../src/storage/shared-content.ts';
import { type Content, makeContent } from '../contract/blob-store.ts';
import { type CountingMetrics, type KeptLog, makeCountingMetrics, makeKeptLog } from './silence.ts';

export interface S3Kit {
  readonly shared: SharedContent;
  readonly keys: S3Keys;
  readonly metrics: CountingMetrics;
  readonly log: KeptLog;
}

export interface S3KitOptions {
  readonly handsOut?: boolean;
  readonly limits?: Partial<S3ContentLimits>;
  readonly link?: Partial<S3LinkLimits>;
  readonly clock?: Clock;
}

/** One process' view of a bucket; closed with the test. */
export function openS3Kit(t: Test, address: S3Address, options: S3KitOptions = {}): S3Kit {
  const { handsOut = false, limits = {}, clock = systemClock } = options;
  const keys = makeS3Keys('assay');
  const metrics = makeCountingMetrics();
  const log = makeKeptLog();
  const observed = { clock, metrics, log };
  const bounds = { ...s3LinkLimits, retryPauseMs: 1, ...options.link };
  const link = makeS3Link(openS3Client(address), keys.probe, bounds, observed);
  const shared = makeS3Content({ link, keys, handsOut, limits }, observed);
  t.teardown(() => shared.close());
  return { shared, keys, metrics, log };
}

/** What an operator has of the same bucket; closed with the test. */
export function openUpkeepKit(
  t: Test,
  address: S3Address,
  { clock = systemClock, link: given = {} }: Pick<S3KitOptions, 'clock' | 'link'> = {},
): SharedUpkeep {
  const keys = makeS3Keys('assay');
  const observed = { clock, metrics: makeCountingMetrics(), log: makeKeptLog() };
  const bounds = { ...s3LinkLimits, retryPauseMs: 1, ...given };
  const link = makeS3Link(openS3Client(address), keys.probe, bounds, observed);
  const upkeep = makeS3Upkeep(link, keys, clock);
  t.teardown(() => upkeep.close());
  return upkeep;
}

/** Content of one request, and content of several parts with the smallest parts that S3 takes. */
export const smallContent = makeContent(5_000);
export const largeContent = makeContent(12 * 1024 * 1024 + 7, 2);
export const smallParts = { partBytes: 5 * 1024 * 1024, copyBytes: 64 * 1024 * 1024 };

/** What this process has, piece by piece. */
export function opening({ bytes }: Content, pieceBytes = 300_000): OpenToShare {
  return async () => Readable.from(pieces(bytes, pieceBytes));
}

function* pieces(bytes: Buffer, pieceBytes: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

export const never = new AbortController().signal;

/** What comes of the shared content; undefined where nothing does. */
export async function readShared(
  { shared }: Pick<S3Kit, 'shared'>,
  { name }: Content,
  start = 0,
): Promise<Buffer | undefined> {
  const found = await shared.open(name, start, never);
  return found && buffer(found.stream);
}
