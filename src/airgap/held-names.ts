import { type Digest, encodedOf } from '../oci/digest.ts';
import { type FileSystem, unlessAbsent } from '../storage/file-system.ts';
import { algorithms, type StoreFolder } from '../storage/store-folder.ts';
import { type DigestBits, makeDigestBits } from './digest-bits.ts';

/** Tells what a store that nobody adds to does not have, without looking for each file. */
export interface HeldNames {
  /** False: it is not there. True: it may be. */
  mayHave(digest: Digest): Promise<boolean>;
}

/** A few files are found sooner than all are listed. */
const askedBeforeListed = 1_000;
const listedAtATime = 1_000;

/** Lists the folders of blobs once, when it was asked often. */
export function makeHeldNames(folder: StoreFolder, files: FileSystem): HeldNames {
  let asked = 0;
  let listed: Promise<DigestBits> | undefined;
  return {
    async mayHave(digest) {
      asked += 1;
      if (asked <= askedBeforeListed) return true;
      listed ??= list(folder, files);
      return (await listed).mayHave(encodedOf(digest));
    },
  };
}

async function list(folder: StoreFolder, files: FileSystem): Promise<DigestBits> {
  // 2 MiB in all, however many blobs there are.
  const beginnings = makeDigestBits(6);
  for (const algorithm of algorithms) {
    for await (const name of blobNames(folder, algorithm, files)) beginnings.add(name);
  }
  return beginnings;
}

/** The files of one algorithm, as the folder lists them. */
export async function* blobNames(
  folder: StoreFolder,
  algorithm: string,
  files: Pick<FileSystem, 'opendir'>,
): AsyncGenerator<string> {
  const opening = files.opendir(folder.blobs(algorithm), { bufferSize: listedAtATime });
  const entries = await unlessAbsent(opening);
  if (entries === undefined) return;
  for await (const { name } of entries) yield name;
}
