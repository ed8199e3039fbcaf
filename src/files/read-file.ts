import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { readBounded, TooLargeError } from '../kernel/bounded.ts';
import { TaggedError } from '../kernel/tagged-error.ts';

export class NotAFileError extends TaggedError<'NOT_A_FILE'> {}

export interface ReadFileOptions {
  /** `refused`: a symbolic link as the last segment fails with ELOOP. */
  readonly symbolicLinks?: 'followed' | 'refused';
}

/**
 * A regular file's bytes, at most `maxBytes` (else `TooLargeError`). Never waits for a pipe or
 * device that has its name.
 */
export async function readFileBounded(
  file: string,
  maxBytes: number,
  options: ReadFileOptions = {},
): Promise<Buffer> {
  const noFollow = options.symbolicLinks === 'refused' ? constants.O_NOFOLLOW : 0;
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK | noFollow);
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new NotAFileError('NOT_A_FILE', `${file} is no regular file`);
    if (stat.size > maxBytes) {
      throw new TooLargeError('TOO_LARGE', `${file} is larger than ${maxBytes} bytes`);
    }
    return await readBounded(handle.createReadStream({ autoClose: false }), maxBytes, file);
  } finally {
    await handle.close();
  }
}

/** The same as text; throws a `TypeError` where it is not UTF-8. A byte order mark is dropped. */
export async function readTextFileBounded(file: string, maxBytes: number): Promise<string> {
  return new TextDecoder('utf-8', { fatal: true }).decode(await readFileBounded(file, maxBytes));
}
