import { join } from 'node:path';
import { makeDurableFile } from '../storage/durable-file.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { StorageError } from '../storage/storage-error.ts';
import { AirgapError } from './airgap-error.ts';
import type { BundleImage } from './bundle.ts';
import { maxDocumentBytes, readBundleDocument } from './bundle-document.ts';
import { documentName } from './generation.ts';

/** The images of a generation, as its document lists them. Throws `AirgapError`. */
export async function readGenerationImages(
  folder: string,
  files: FileSystem,
): Promise<readonly BundleImage[]> {
  const path = join(folder, documentName);
  const bytes = await makeDurableFile(path, maxDocumentBytes, files)
    .read()
    .catch((cause: unknown) => {
      if (!(cause instanceof StorageError)) throw cause;
      throw new AirgapError('READ_FAILED', cause.message, { cause });
    });
  if (bytes === undefined) throw new AirgapError('STORE_DAMAGED', `${path} is missing`);
  return readBundleDocument(bytes).images;
}
