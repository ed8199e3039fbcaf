import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../kernel/tagged-error.ts';
import { type Digest, encodedOf } from '../oci/digest.ts';
import { MalformedError } from '../oci/malformed-error.ts';
import { maxManifestBytes, partsOf, readManifest } from '../oci/manifest.ts';
import { makeDurableFile } from '../storage/durable-file.ts';
import { type FileSystem, unlessAbsent } from '../storage/file-system.ts';
import { StorageError } from '../storage/storage-error.ts';
import { AirgapError } from './airgap-error.ts';
import type { BundleImage } from './bundle.ts';
import { maxDocumentBytes, readBundleDocument } from './bundle-document.ts';
import { documentName } from './bundle-document-rules.ts';
import { type DigestBits, makeDigestBits } from './digest-bits.ts';
import { layoutsName } from './layout-images.ts';
import { lines } from './lines.ts';
import { maxIndexLineBytes } from './blob-index.ts';
import { readPublishedImages } from './published-images.ts';
import type { Published } from './published.ts';
import type { StoreFiles } from './store-files.ts';

/**
 * In a generation's folder: the index of its bundle, with what was left out here as well, since
 * the next delta takes all of it to be here.
 */
export const heldName = '_blobs.idx';

interface Named {
  readonly store: StoreFiles;
  readonly files: FileSystem;
}

/**
 * What is not to be taken away: all that the one in force and the other generations name, and what
 * an import that did not end may have read. A few others may count as named. Throws `AirgapError` where that can't be found
 * out, and nothing may be taken away then.
 */
export async function readKeptContent(
  published: Published,
  others: readonly number[],
  named: Named,
): Promise<DigestBits> {
  const { store, files } = named;
  const kept = makeDigestBits(7);
  // As it was published, or nothing can be told.
  await readPublishedImages(store, published, files);
  for (const number of [published.generation, ...others]) await addGeneration(number, kept, named);
  const isUnderWay = (await unlessAbsent(files.stat(store.journal))) !== undefined;
  if (isUnderWay) await addIndex(store.bundleWork.index, kept);
  return kept;
}

async function addGeneration(generation: number, kept: DigestBits, named: Named): Promise<void> {
  const folder = named.store.generation(generation);
  const bundle = await readImages(join(folder, documentName), named.files);
  const layouts = await readImages(join(folder, layoutsName), named.files);
  if (bundle === undefined && layouts === undefined) throw unclear(`${folder} names nothing`);
  if (bundle !== undefined) await addIndex(join(folder, heldName), kept);
  const seen = new Set<Digest>();
  for (const { root, children, evidence } of [...(bundle ?? []), ...(layouts ?? [])]) {
    for (const { digest } of [root, ...children, ...evidence.map(({ manifest }) => manifest)]) {
      if (seen.has(digest)) continue;
      seen.add(digest);
      await addManifest(digest, kept, named);
    }
  }
}

async function addManifest(digest: Digest, kept: DigestBits, { store, files }: Named) {
  const path = store.folder.blob(digest);
  kept.add(encodedOf(digest));
  try {
    const bytes = await readStored(path, maxManifestBytes, files);
    if (bytes === undefined) throw unclear(`${path} is not there`);
    for (const part of partsOf(readManifest(bytes, undefined))) kept.add(encodedOf(part.digest));
  } catch (cause) {
    if (!(cause instanceof MalformedError)) throw cause;
    throw unclear(`${path}: ${cause.message}`, cause);
  }
}

async function readImages(
  path: string,
  files: FileSystem,
): Promise<readonly BundleImage[] | undefined> {
  const bytes = await readStored(path, maxDocumentBytes, files);
  return bytes === undefined ? undefined : readBundleDocument(bytes).images;
}

async function readStored(path: string, maxBytes: number, files: FileSystem) {
  try {
    return await makeDurableFile(path, maxBytes, files).read();
  } catch (cause) {
    if (!(cause instanceof StorageError)) throw cause;
    throw new AirgapError('READ_FAILED', cause.message, { cause });
  }
}

async function addIndex(path: string, kept: DigestBits): Promise<void> {
  const torn = (): Error => unclear(`${path} is torn`);
  try {
    const stream = createReadStream(path, { highWaterMark: 256 * 1024 });
    for await (const line of lines(stream, maxIndexLineBytes, torn)) {
      kept.add(line.slice(line.indexOf(':') + 1, line.indexOf(' ')));
    }
  } catch (cause) {
    if (cause instanceof AirgapError) throw cause;
    throw unclear(messageOf(cause), cause);
  }
}

function unclear(why: string, cause?: unknown): AirgapError {
  const message = `nobody can tell what is still needed: ${why}`;
  return new AirgapError('STORE_DAMAGED', message, { cause });
}
