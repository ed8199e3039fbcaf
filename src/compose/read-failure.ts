import { messageOf } from '../kernel/tagged-error.ts';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
  EISDIR: 'it is a folder',
};

/** Why a file can't be read, in the words of a person who sees its name beside them. */
export function readFailure(cause: unknown): string {
  return reasons[(cause as NodeJS.ErrnoException).code ?? ''] ?? messageOf(cause);
}
