import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { quoted } from '../kernel/quoted.ts';
import { AirgapError } from './airgap-error.ts';
import { writeFailure } from './file-failure.ts';
import type { TrustFile } from './bundle.ts';
import { isTrustPath } from './bundle-document-rules.ts';

/** Trust material on its way into a bundle. */
export interface CarriedTrust extends TrustFile {
  readonly bytes: Uint8Array;
}

/** A name for a file of that content: its own where the format allows it. */
export function carriedName(name: string, bytes: Uint8Array, extension: string): string {
  if (isCarriedPath(name) && !name.includes('/')) return name;
  return `${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}${extension}`;
}

/** Whether the format allows it below `trust/`. */
export function isCarriedPath(path: string): boolean {
  return isTrustPath(`trust/${path}`);
}

/** Puts the files below the folder, as an import does. */
export async function writeTrustFiles(
  folder: string,
  files: readonly CarriedTrust[],
): Promise<void> {
  for (const { path, bytes } of files) {
    if (!isTrustPath(path)) {
      throw new AirgapError('EXPORT_REFUSED', `${quoted(path)} is no path for trust material`);
    }
    const file = join(folder, path);
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      await writeFile(file, bytes, { flag: 'wx', mode: 0o600 });
    } catch (cause) {
      throw writeFailure(file, cause);
    }
  }
}

/** Each path once; throws `AirgapError` where two files of other content want one. */
export function withoutTwins(files: readonly CarriedTrust[]): readonly CarriedTrust[] {
  const byPath = new Map<string, CarriedTrust>();
  for (const file of files) {
    const known = byPath.get(file.path.toLowerCase());
    if (known !== undefined && !Buffer.from(known.bytes).equals(file.bytes)) {
      throw new AirgapError('EXPORT_REFUSED', `two files of trust material want ${file.path}`);
    }
    byPath.set(file.path.toLowerCase(), known ?? file);
  }
  return [...byPath.values()];
}
