import { join } from 'node:path';
import { rm } from 'node:fs/promises';
import type { Descriptor } from '../oci/descriptor.ts';
import { digestOf, type Digest } from '../oci/digest.ts';
import { MalformedError } from '../oci/malformed-error.ts';
import { readManifest } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { makeDurableFile } from '../storage/durable-file.ts';
import { type FileSystem, unlessAbsent } from '../storage/file-system.ts';
import { AirgapError } from './airgap-error.ts';
import { writeBundleDocument } from './bundle-document.ts';
import { documentName } from './bundle-document-rules.ts';
import type { BundleDocument, BundleImage } from './bundle.ts';
import { intoStore } from './file-failure.ts';
import { layoutsName, outsideOf, writeLayoutImages } from './layout-images.ts';

export { documentName };

const refName = 'org.opencontainers.image.ref.name';

/** What a generation consists of. */
export interface StagedGeneration {
  /** Keys of the upstreams that it has something of. */
  readonly upstreams: readonly string[];
  readonly images: number;
  /** Of the document with the images that are in it. */
  readonly document: Digest;
  /** Of what came by plain layouts; undefined: nothing did. */
  readonly layouts?: Digest;
}

/**
 * Writes what a zone serves from: for each upstream an `index.json` as image layouts have it, the
 * document with the images that are in it (none before the first bundle), and what came by plain
 * layouts and has repositories of its own. Throws `AirgapError`.
 */
export async function writeGeneration(
  folder: string,
  document: BundleDocument | undefined,
  files: FileSystem,
  fromLayouts: readonly BundleImage[] = [],
): Promise<StagedGeneration> {
  await rm(folder, { recursive: true, force: true });
  await files.mkdir(folder, { recursive: true, mode: 0o700 });
  const beside = outsideOf(document?.images ?? [], fromLayouts);
  const images = [...(document?.images ?? []), ...beside];
  const byUpstream = Map.groupBy(images, ({ repository }) => repository.upstream);
  const upstreams = [...byUpstream.keys()].toSorted();
  for (const upstream of upstreams) {
    const index = renderIndex(upstream, byUpstream.get(upstream) ?? []);
    await files.mkdir(join(folder, upstream), { mode: 0o700 });
    await writeWhole(join(folder, upstream, 'index.json'), index, files);
  }
  const bytes = document === undefined ? Buffer.alloc(0) : writeBundleDocument(document);
  if (document !== undefined) await writeWhole(join(folder, documentName), bytes, files);
  const list = writeLayoutImages(beside);
  if (list !== undefined) await writeWhole(join(folder, layoutsName), list, files);
  const staged = { upstreams, images: images.length, document: digestOf(bytes) };
  return list === undefined ? staged : { ...staged, layouts: digestOf(list) };
}

/** The content of an earlier generation once more: revocations come without any. */
export async function copyGeneration(
  from: string,
  folder: string,
  upstreams: readonly string[],
  files: FileSystem,
): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await files.mkdir(folder, { recursive: true, mode: 0o700 });
  const indexes = upstreams.map((upstream) => join(upstream, 'index.json'));
  const names = [...indexes, documentName, layoutsName];
  for (const name of names) {
    await files.mkdir(join(folder, name, '..'), { recursive: true, mode: 0o700 });
    const bytes = await unlessAbsent(files.readFile(join(from, name)));
    if (bytes !== undefined) await writeWhole(join(folder, name), bytes, files);
  }
}

async function writeWhole(path: string, bytes: Uint8Array, files: FileSystem): Promise<void> {
  await intoStore(path, () => makeDurableFile(path, bytes.length, files).write(bytes));
}

function renderIndex(upstream: string, images: readonly BundleImage[]): Buffer {
  const entries = new Map<string, object>();
  const add = ({ mediaType, digest, size }: Descriptor, name: string | undefined): void => {
    const annotations = name === undefined ? {} : { annotations: { [refName]: name } };
    entries.set(`${name ?? ''} ${digest}`, { mediaType, digest, size, ...annotations });
  };
  for (const { repository, tag, root, evidence } of images) {
    add(root, refNameOf(repository.path, tag, root));
    for (const { manifest, tag: evidenceTag, path } of evidence) {
      const isElsewhere = path !== undefined && path !== repository.path;
      const named = evidenceTag !== undefined || isElsewhere;
      add(manifest, named ? refNameOf(path ?? repository.path, evidenceTag, manifest) : undefined);
    }
  }
  const manifests = [...entries].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
  const bytes = Buffer.from(JSON.stringify(index));
  try {
    // As whoever serves from it is going to read it.
    readManifest(bytes, undefined);
    return bytes;
  } catch (cause) {
    if (!(cause instanceof MalformedError)) throw cause;
    const count = `${manifests.length} images and signatures of ${upstream}`;
    const message = `the bundle has ${count}, more than a zone can serve: ${cause.message}`;
    throw new AirgapError('TOO_MANY_IMAGES', message, { cause });
  }
}

/** Without a tag it makes the repository exist, in which it is reached by digest. */
function refNameOf(path: string, tag: string | undefined, { digest }: Descriptor): string {
  return tag === undefined ? `${path}@${digest}` : `${path}:${tag}`;
}
