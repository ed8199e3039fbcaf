import { quoted } from '../kernel/quoted.ts';
import { messageOf, TaggedError } from '../kernel/tagged-error.ts';
import { StorageError } from './storage-error.ts';

/** Why Redis did not do what it was asked. */
export type RedisTrouble =
  /** It did not answer in time. */
  | 'late'
  /** There is no connection, or it ended. */
  | 'unreachable'
  /** It answered that it can't or won't: no memory left, a replica, loading, a cluster that is down. */
  | 'refused'
  /** It was not asked, since it failed a moment ago. */
  | 'not-asked';

export class LateError extends TaggedError<'LATE'> {}

export function troubleOf(error: unknown): RedisTrouble {
  if (error instanceof LateError) return 'late';
  return error instanceof Error && error.name === 'ReplyError' ? 'refused' : 'unreachable';
}

/**
 * Its words are bounded: a server that lies may say anything. The client's own errors carry the
 * command with all that it said, a password for one, and go no further.
 */
export function redisFailed(trouble: RedisTrouble, cause?: unknown): StorageError {
  const message = messages[trouble];
  const detail = trouble === 'refused' ? `: ${quoted(messageOf(cause), 200)}` : '';
  const reason = cause === undefined ? undefined : new Error(messageOf(cause));
  return new StorageError('STORAGE_FAILED', `${message}${detail}`, { cause: reason });
}

const messages: Readonly<Record<RedisTrouble, string>> = {
  late: 'redis does not answer in time',
  unreachable: 'redis can not be reached',
  refused: 'redis refuses',
  'not-asked': 'redis is not asked for a moment, since it does not answer',
};
