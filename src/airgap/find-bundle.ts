import { join } from 'node:path';
import { AirgapError } from './airgap-error.ts';
import { metadataFolder, readSmall } from './metadata-files.ts';
import { maxMetadataBytes } from './metadata-model.ts';

/**
 * Of the folders that one bundle came in the one that has its metadata; the others may have
 * volumes alone, or the same metadata once more. Throws `AirgapError`: METADATA_MISSING,
 * BUNDLE_AMBIGUOUS.
 */
export async function findBundle(places: readonly string[]): Promise<string> {
  let found: { readonly folder: string; readonly timestamp: Buffer } | undefined;
  for (const folder of places) {
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
