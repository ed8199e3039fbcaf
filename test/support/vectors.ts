import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';

const folder = new URL('../../../shared/vectors/', import.meta.url);

/** Reads one of the published vectors. */
export type ReadVector = (path: string) => Buffer;

/**
 * The published test vectors beside the project. Where they are not there the test is skipped with
 * the reason in its output, but fails in CI, which must have them; the caller returns on undefined.
 */
export function requireVectors(t: Test): ReadVector | undefined {
  if (existsSync(folder)) return (path) => readFileSync(new URL(path, folder));
  const missing = `there are no test vectors in ${fileURLToPath(folder)}`;
  if (process.env['CI'] !== undefined) t.fail(missing);
  else t.pass(`not run: ${missing}`, { skip: missing });
  return undefined;
}

/** The names of the files in one of the folders of published vectors. */
export function listVectors(path: string): readonly string[] {
  return readdirSync(new URL(path, folder)).toSorted();
}

/** Where one of the published vectors lies, for what takes the names of files. */
export function vectorPath(path: string): string {
  return fileURLToPath(new URL(path, folder));
}
