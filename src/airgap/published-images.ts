import { join } from 'node:path';
import { matchesDigest } from '../oci/digest.ts';
import { makeDurableFile } from '../storage/durable-file.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { StorageError } from '../storage/storage-error.ts';
import { AirgapError } from './airgap-error.ts';
import type { BundleDocument, BundleImage } from './bundle.ts';
import { maxDocumentBytes, readBundleDocument } from './bundle-document.ts';
import { documentName } from './generation.ts';
import { readLayoutImages } from './layout-images.ts';
import type { Published } from './published.ts';
import type { StoreFiles } from './store-files.ts';

type Stored = Pick<StoreFiles, 'generation'>;

/**
 * What the bundle in force says is in it; undefined before the first. Throws `AirgapError`
 * (STORE_DAMAGED, READ_FAILED).
 */
export async function readPublishedDocument(
  store: Stored,
  published: Published | undefined,
  files: FileSystem,
): Promise<BundleDocument | undefined> {
  if (published === undefined || published.sequence === 0) return undefined;
  const path = join(store.generation(published.generation), documentName);
  const bytes = await makeDurableFile(path, maxDocumentBytes, files)
    .read()
    .catch((cause: unknown) => {
      if (!(cause instanceof StorageError)) throw cause;
      throw new AirgapError('READ_FAILED', cause.message, { cause });
    });
  if (bytes !== undefined && matchesDigest(bytes, published.document)) {
    return readBundleDocument(bytes);
  }
  throw new AirgapError('STORE_DAMAGED', `${path} is not what was published`);
}

/** Everything that is published: of bundles, and of plain layouts. */
export async function readPublishedImages(
  store: Stored,
  published: Published,
  files: FileSystem,
): Promise<readonly BundleImage[]> {
  const document = await readPublishedDocument(store, published, files);
  const fromLayouts = await readLayoutImages(store, published, files);
  return [...(document?.images ?? []), ...fromLayouts];
}
