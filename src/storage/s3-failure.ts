import { quoted } from '../kernel/quoted.ts';
import { TaggedError } from '../kernel/tagged-error.ts';
import { StorageError } from './storage-error.ts';

/** Why S3 did not do what it was asked. */
export type S3Trouble =
  /** It did not answer in time. */
  | 'late'
  /** There is no connection, or it broke. */
  | 'unreachable'
  /** It answered with a failure of its own, or that it has too much to do. */
  | 'failing'
  /** It does not let us: who we are, what we may, which bucket. */
  | 'refused'
  /** What was asked did not fit the object, such as a condition that it no longer meets. */
  | 'unfit'
  /** It was not asked, since it failed a moment ago. */
  | 'not-asked';

export class LateS3Error extends TaggedError<'LATE'> {}

/** `absent`: there is no such object, which is an answer. */
export function troubleOf(error: unknown): Exclude<S3Trouble, 'not-asked'> | 'absent' {
  if (error instanceof LateS3Error) return 'late';
  const status = statusOf(error);
  if (status === undefined) return 'unreachable';
  const { name } = error as Error;
  if (name === 'NoSuchKey' || name === 'NotFound') return 'absent';
  if (status >= 500 || status === 429) return 'failing';
  return fitting.has(status) && name !== 'NoSuchBucket' ? 'unfit' : 'refused';
}

/** Nothing there (a part, an upload), changed meanwhile, a range that it has not. */
const fitting: ReadonlySet<number> = new Set([404, 409, 412, 416]);

function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined;
  const { httpStatusCode: status } = error.$metadata as { readonly httpStatusCode?: unknown };
  return typeof status === 'number' ? status : undefined;
}

/** Of the service's own words only the code is told: the rest may repeat what was sent. */
export function s3Failed(trouble: S3Trouble, error?: unknown): StorageError {
  const status = statusOf(error);
  const code = status === undefined ? '' : `: ${status} ${quoted((error as Error).name, 60)}`;
  return new StorageError('STORAGE_FAILED', `${messages[trouble]}${code}`);
}

const messages: Readonly<Record<S3Trouble, string>> = {
  late: 'S3 does not answer in time',
  unreachable: 'S3 can not be reached',
  failing: 'S3 fails',
  refused: 'S3 refuses',
  unfit: 'S3 has another object than was asked for',
  'not-asked': 'S3 is not asked for a moment, since it does not answer',
};
