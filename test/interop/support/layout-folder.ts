import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { algorithmOf, type Digest, encodedOf } from '../../../src/oci/digest.ts';

/** The bytes of a file; undefined where there is none. */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** What lies in a `blobs` folder of an OCI layout or of containerd's content store. */
export function readFromBlobs(blobs: string, digest: Digest): Promise<Buffer | undefined> {
  return readIfThere(join(blobs, algorithmOf(digest), encodedOf(digest)));
}
