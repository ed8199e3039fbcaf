import { join } from 'node:path';
import { type LayoutFiles, makeLayoutFiles } from '../upstream/layout-files.ts';

/**
 * The content that a zone has of one upstream: blobs of all generations together, and the index of
 * the one in force. `version` names that, and changes when another one is.
 */
export function makeZoneLayout(
  root: string,
  upstream: string,
  current: () => { readonly version: string; readonly generation: string },
): LayoutFiles {
  const blobs = makeLayoutFiles(root);
  return {
    version: async () => current().version,
    readIndex: (maxBytes) =>
      makeLayoutFiles(join(current().generation, upstream)).readIndex(maxBytes),
    readBlob: (digest, maxBytes) => blobs.readBlob(digest, maxBytes),
    openBlob: (digest) => blobs.openBlob(digest),
  };
}
