import { openS3Client, type S3Address } from '../storage/s3-client.ts';
import { makeS3Content } from '../storage/s3-content.ts';
import { makeS3Keys } from '../storage/s3-keys.ts';
import { makeS3Link, s3LinkLimits } from '../storage/s3-link.ts';
import { makeS3Upkeep, type SharedUpkeep } from '../storage/s3-upkeep.ts';
import type { SharedContent } from '../storage/shared-content.ts';
import type { Observed } from './verifier.ts';

export interface S3ContentPlace {
  readonly address: S3Address;
  /** What every key begins with. */
  readonly prefix: string;
  /** Whether clients are sent there. */
  readonly handsOut: boolean;
}

/** What loads the client of S3, apart from those who do without. */
export function openS3Content(
  { address, prefix, handsOut }: S3ContentPlace,
  observed: Observed,
): SharedContent {
  const keys = makeS3Keys(prefix);
  const link = makeS3Link(openS3Client(address), keys.probe, s3LinkLimits, observed);
  return makeS3Content({ link, keys, handsOut }, observed);
}

/** The same place for the commands of an operator. */
export function openS3Upkeep(
  { address, prefix }: Omit<S3ContentPlace, 'handsOut'>,
  observed: Observed,
): SharedUpkeep {
  const keys = makeS3Keys(prefix);
  const link = makeS3Link(openS3Client(address), keys.probe, s3LinkLimits, observed);
  return makeS3Upkeep(link, keys, observed.clock);
}
