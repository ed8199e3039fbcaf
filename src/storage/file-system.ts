import * as fs from 'node:fs/promises';
import { systemCodeOf } from '../kernel/tagged-error.ts';

/** What the blob store asks of the operating system; a test gives one that fails. */
export type FileSystem = Pick<
  typeof fs,
  | 'link'
  | 'mkdir'
  | 'open'
  | 'opendir'
  | 'readFile'
  | 'readlink'
  | 'rename'
  | 'stat'
  | 'statfs'
  | 'unlink'
  | 'writeFile'
>;

export const systemFiles: FileSystem = fs;

/** What the work resolves with, or undefined where a file that it needs is not there. */
export async function unlessAbsent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
