import { join } from 'node:path';
import type { Digest } from '../oci/digest.ts';
import type { FileSystem } from '../storage/file-system.ts';
import {
  fileNameOf,
  makeFolders,
  makeStoreFolder,
  type StoreFolder,
} from '../storage/store-folder.ts';

/**
 * Where a zone keeps what it imported. `blobs/` is that of an OCI image layout, shared by all
 * generations; `published.json` names the generation in force. All is in one file system, so that
 * a rename is one step.
 */
export interface StoreFiles {
  readonly folder: StoreFolder;
  readonly root: string;
  /** Names the process that imports. */
  readonly lock: string;
  /** What of the bundle under way was read. */
  readonly journal: string;
  /** The two copies of the state. */
  readonly states: readonly [string, string];
  readonly published: string;
  /** What a bundle takes to be here, and is not. */
  readonly need: string;
  readonly audit: string;
  readonly receipts: string;
  readonly receiptKey: string;
  /** Of the import under way; taken away at its end. */
  readonly work: ImportFiles;
  /** Of a bundle's import, which may have to wait for the next disc. */
  readonly bundleWork: ImportFiles;
  /** Of a plain layout's, which begins anew each time. */
  readonly layoutWork: ImportFiles;
  generation(number: number): string;
  trust(number: number): string;
  /** A link to the trust files of the generation in force: a path that stays. */
  readonly currentTrust: string;
}

export interface ImportFiles {
  readonly root: string;
  readonly index: string;
  /** Of a volume, by its number: what of it is to be read, in order. */
  plan(volume: number): string;
  readonly plans: string;
  readonly parts: string;
  part(digest: Digest): string;
  readonly generation: string;
  readonly trust: string;
}

export function makeStoreFiles(root: string): StoreFiles {
  const folder = makeStoreFolder(root);
  const trust = join(root, 'trust');
  const bundleWork = makeImportFiles(join(folder.staging, 'import'));
  return {
    folder,
    root,
    lock: join(root, 'import.lock'),
    journal: join(root, 'journal'),
    states: [join(root, 'state-a'), join(root, 'state-b')],
    published: join(root, 'published.json'),
    need: join(root, 'need.json'),
    audit: join(root, 'audit.log'),
    receipts: join(root, 'receipts'),
    receiptKey: join(root, 'receipt.key'),
    work: bundleWork,
    bundleWork,
    layoutWork: makeImportFiles(join(folder.staging, 'layout')),
    generation: (number) => join(root, 'generations', String(number)),
    trust: (number) => join(trust, String(number)),
    currentTrust: join(trust, 'current'),
  };
}

function makeImportFiles(root: string): ImportFiles {
  const plans = join(root, 'plans');
  const parts = join(root, 'parts');
  return {
    root,
    index: join(root, 'blobs.idx'),
    plans,
    plan: (volume) => join(plans, String(volume)),
    parts,
    part: (digest) => join(parts, fileNameOf(digest)),
    generation: join(root, 'generation'),
    trust: join(root, 'trust'),
  };
}

/** Makes the folders of the store and of an import, for us alone, where they are not there. */
export async function makeStoreFolders(store: StoreFiles, files: FileSystem): Promise<void> {
  await makeFolders(store.folder, files);
  const { root, receipts, bundleWork: work } = store;
  const more = [join(root, 'generations'), join(root, 'trust'), receipts, work.plans, work.parts];
  for (const path of more) await files.mkdir(path, { recursive: true, mode: 0o700 });
}
