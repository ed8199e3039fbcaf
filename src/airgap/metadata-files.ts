import { join } from 'node:path';
import { readBounded, TooLargeError } from '../kernel/bounded.ts';
import { makeDurableFile } from '../storage/durable-file.ts';
import { type FileSystem, systemFiles, unlessAbsent } from '../storage/file-system.ts';
import { AirgapError } from './airgap-error.ts';
import { readFailure, writeFailure } from './file-failure.ts';
import { openRegular } from './open-regular.ts';

/** The folder of a bundle that TUF's metadata are in. */
export function metadataFolder(bundle: string): string {
  return join(bundle, 'metadata');
}

/** The file of a target, with its hash before its name (TUF specification, section 6.2). */
export function targetFile(bundle: string, path: string, sha256: string): string {
  const slash = path.lastIndexOf('/') + 1;
  return join(bundle, 'targets', path.slice(0, slash), `${sha256}.${path.slice(slash)}`);
}

/** Undefined where there is none. Throws `AirgapError`: READ_FAILED, `tooLarge` past `maxBytes`. */
export async function readSmall(
  file: string,
  maxBytes: number,
  tooLarge: 'METADATA_MALFORMED' | 'METADATA_MISMATCH' | 'TARGET_MISMATCH' | 'RECEIPT_INVALID',
  files: FileSystem = systemFiles,
): Promise<Buffer | undefined> {
  try {
    const handle = await unlessAbsent(openRegular(file, files));
    if (handle === undefined) return undefined;
    try {
      return await readBounded(handle.createReadStream({ autoClose: false }), maxBytes, file);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (cause instanceof TooLargeError) throw new AirgapError(tooLarge, cause.message, { cause });
    throw readFailure(file, cause);
  }
}

/** Whole or not at all, also after a power cut; whoever has the bundle may read it. */
export async function writeDurable(
  path: string,
  bytes: Uint8Array,
  files: FileSystem = systemFiles,
): Promise<void> {
  await makeDurableFile(path, bytes.length, files, 0o666)
    .write(bytes)
    .catch((cause: unknown) => {
      throw writeFailure(path, cause);
    });
}
