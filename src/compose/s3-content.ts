import { openS3Client, type S3Address } from '../storage/s3-client.ts';
import { makeS3Content } from '../storage/s3-content.ts';
import { makeS3Keys } from '../storage/s3-keys.ts';
import { makeS3Link, s3LinkLimits } from '../storage/s3-link.ts';
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
