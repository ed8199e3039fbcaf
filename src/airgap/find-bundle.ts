import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessAbsent } from '../storage/file-system.ts';
import { AirgapError } from './airgap-error.ts';
import { readFailure } from './file-failure.ts';
import { metadataFolder, readSmall } from './metadata-files.ts';
import { maxMetadataBytes } from './metadata-model.ts';

/**
 * Of the folders that one bundle came in the one that has its metadata; the others may have
 * volumes alone, or the same metadata once more. Throws `AirgapError`: FOLDER_MISSING,
 * METADATA_MISSING, BUNDLE_AMBIGUOUS, READ_FAILED.
 */
export async function findBundle(places: readonly string[]): Promise<string> {
  let found: { readonly folder: string; readonly timestamp: Buffer } | undefined;
  for (const folder of places) {
    await assertThere(folder);
    const file = join(metadataFolder(folder), 'timestamp.json');
    const timestamp = await readSmall(file, maxMetadataBytes.timestamp, 'METADATA_MALFORMED');
    if (timestamp === undefined) continue;
    if (found !== undefined && !found.timestamp.equals(timestamp)) {
      const message = `${found.folder} and ${folder} are different bundles: import one after the other`;
      throw new AirgapError('BUNDLE_AMBIGUOUS', message);
    }
    found ??= { folder, timestamp };
  }
  if (found !== undefined) return found.folder;
  throw new AirgapError(
    'METADATA_MISSING',
    `there is no metadata/timestamp.json in ${places.join(', ')}: no bundle that is finished`,
  );
}

/** A name that is mistyped would only show as volumes that are missing. */
async function assertThere(folder: string): Promise<void> {
  const found = await unlessAbsent(stat(folder)).catch((cause: unknown) => {
    throw readFailure(folder, cause);
  });
  if (found?.isDirectory() === true) return;
  const message = `there is no folder ${folder}: is its name right, and its medium mounted?`;
  throw new AirgapError('FOLDER_MISSING', message);
}
