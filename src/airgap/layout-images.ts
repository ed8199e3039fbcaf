import { join } from 'node:path';
import { matchesDigest } from '../oci/digest.ts';
import { scopeOf } from '../oci/repository.ts';
import { makeDurableFile } from '../storage/durable-file.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { StorageError } from '../storage/storage-error.ts';
import { AirgapError } from './airgap-error.ts';
import type { BundleImage } from './bundle.ts';
import { maxDocumentBytes, readBundleDocument, writeBundleDocument } from './bundle-document.ts';
import { nameOf } from './plan.ts';
import type { Published } from './published.ts';
import type { StoreFiles } from './store-files.ts';

/** In a generation's folder: what came by plain layouts. No upstream may be called so. */
export const layoutsName = '_layouts.json';

/** Undefined where there is nothing to be written. It has the form of a bundle's document. */
export function writeLayoutImages(images: readonly BundleImage[]): Buffer | undefined {
  if (images.length === 0) return undefined;
  return writeBundleDocument({
    stream: '0'.repeat(32),
    sequence: 1,
    kind: 'content',
    base: undefined,
    previous: undefined,
    created: new Date(0),
    exporter: 'image layouts',
    images,
    rollbacks: [],
    denials: [],
    revocationAsOf: undefined,
    trust: [],
  });
}

/** Throws `AirgapError` (STORE_DAMAGED, READ_FAILED) where it is not what was published. */
export async function readLayoutImages(
  store: Pick<StoreFiles, 'generation'>,
  published: Pick<Published, 'generation' | 'layouts'> | undefined,
  files: FileSystem,
): Promise<readonly BundleImage[]> {
  if (published?.layouts === undefined) return [];
  const path = join(store.generation(published.generation), layoutsName);
  const bytes = await makeDurableFile(path, maxDocumentBytes, files)
    .read()
    .catch((cause: unknown) => {
      if (!(cause instanceof StorageError)) throw cause;
      throw new AirgapError('READ_FAILED', cause.message, { cause });
    });
  if (bytes !== undefined && matchesDigest(bytes, published.layouts)) {
    return readBundleDocument(bytes).images;
  }
  throw new AirgapError('STORE_DAMAGED', `${path} is not what was published`);
}

/** Those in repositories that a bundle has nothing of: what is signed goes before what is not. */
export function outsideOf(
  bundled: readonly BundleImage[],
  fromLayouts: readonly BundleImage[],
): readonly BundleImage[] {
  const taken = new Set(bundled.map(({ repository }) => scopeOf(repository)));
  return fromLayouts.filter(({ repository }) => !taken.has(scopeOf(repository)));
}

/** What came later stands in place of what had the same name. */
export function replaceImages(
  before: readonly BundleImage[],
  added: readonly BundleImage[],
): readonly BundleImage[] {
  const images = new Map([...before, ...added].map((image) => [nameOf(image), image]));
  return [...images.values()];
}
