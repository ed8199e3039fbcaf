import { join } from 'node:path';
import { algorithmOf, type Digest, encodedOf, parseDigest } from '../oci/digest.ts';
import type { FileSystem } from './file-system.ts';

/**
 * Where the blob store keeps its files. `blobs/` is that of an OCI image layout (image-spec,
 * image-layout.md), so other tools can read it. All is in one file system, so that a rename is
 * one step.
 */
export interface StoreFolder {
  readonly root: string;
  blobs(algorithm: string): string;
  blob(digest: Digest): string;
  readonly staging: string;
  readonly trash: string;
  readonly quarantine: string;
  /** Who scrubs at the moment. */
  readonly scrubLock: string;
  /** Who stores the content at the moment. */
  lock(digest: Digest): string;
  /** Partial content: of an owner, or of nobody. */
  partial(digest: Digest, owner: string | undefined): PartialFiles;
}

export interface PartialFiles {
  readonly part: string;
  readonly journal: string;
}

export const algorithms = ['sha256', 'sha512'] as const;

export function makeStoreFolder(root: string): StoreFolder {
  const blobs = (algorithm: string): string => join(root, 'blobs', algorithm);
  const staging = join(root, 'staging');
  return {
    root,
    blobs,
    blob: (digest) => join(blobs(algorithmOf(digest)), encodedOf(digest)),
    staging,
    trash: join(root, 'trash'),
    quarantine: join(root, 'quarantine'),
    scrubLock: join(root, 'scrub.lock'),
    lock: (digest) => join(staging, `${fileNameOf(digest)}.lock`),
    partial(digest, owner) {
      const stem = fileNameOf(digest) + (owner === undefined ? '' : `.${owner}`);
      return { part: join(staging, `${stem}.part`), journal: join(staging, `${stem}.journal`) };
    },
  };
}

/** The digest as a file name: no path in it but for parsed digests. */
export function fileNameOf(digest: Digest): string {
  return `${algorithmOf(digest)}-${encodedOf(digest)}`;
}

export interface StagingName {
  readonly digest: Digest;
  readonly owner: string | undefined;
  readonly kind: 'lock' | 'part' | 'journal';
}

/** Undefined for a file that is none of ours. */
export function parseStagingName(name: string): StagingName | undefined {
  const match = /^(sha\d+)-([0-9a-f]+)(?:\.([0-9a-f]+))?\.(lock|part|journal)$/.exec(name);
  const [, algorithm, encoded, owner, kind] = match ?? [];
  const digest = parseDigest(`${algorithm}:${encoded}`);
  if (digest === undefined) return undefined;
  return { digest, owner, kind: kind as StagingName['kind'] };
}

/** Makes the folders, for us alone, where they are not there. */
export async function makeFolders(folder: StoreFolder, files: FileSystem): Promise<void> {
  const { root, staging, trash, quarantine } = folder;
  const blobs = algorithms.map((algorithm) => folder.blobs(algorithm));
  let isAnyNew = false;
  for (const path of [...blobs, staging, trash, quarantine]) {
    const made = await files.mkdir(path, { recursive: true, mode: 0o700 });
    isAnyNew ||= made !== undefined;
  }
  if (!isAnyNew) return;
  // A power cut must not take away a folder with all that was made durable in it.
  for (const path of [join(root, 'blobs'), root]) await syncFolder(path, files);
}

/** Makes a rename in the folder last through a power cut. */
export async function syncFolder(path: string, files: FileSystem): Promise<void> {
  const handle = await files.open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
