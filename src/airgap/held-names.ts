import { type Digest, encodedOf } from '../oci/digest.ts';
import { type FileSystem, unlessAbsent } from '../storage/file-system.ts';
import { algorithms, type StoreFolder } from '../storage/store-folder.ts';

/** Tells what a store that nobody adds to does not have, without looking for each file. */
export interface HeldNames {
  /** False: it is not there. True: it may be. */
  mayHave(digest: Digest): Promise<boolean>;
}

/** Of a name's beginning: a bit for each takes 2 MiB in all, however many blobs there are. */
const hexDigits = 6;
/** A few files are found sooner than all are listed. */
const askedBeforeListed = 1_000;
const listedAtATime = 1_000;

/** Lists the folders of blobs once, when it was asked often. */
export function makeHeldNames(folder: StoreFolder, files: FileSystem): HeldNames {
  let asked = 0;
  let listed: Promise<Uint8Array> | undefined;
  return {
    async mayHave(digest) {
      asked += 1;
      if (asked <= askedBeforeListed) return true;
      listed ??= list(folder, files);
      const { at, bit } = placeOf(encodedOf(digest));
      return (((await listed)[at] ?? 0) & bit) !== 0;
    },
  };
}

async function list(folder: StoreFolder, files: FileSystem): Promise<Uint8Array> {
  const beginnings = new Uint8Array(16 ** hexDigits / 8);
  for (const algorithm of algorithms) {
    const opening = files.opendir(folder.blobs(algorithm), { bufferSize: listedAtATime });
    const entries = await unlessAbsent(opening);
    if (entries === undefined) continue;
    for await (const { name } of entries) {
      const { at, bit } = placeOf(name);
      beginnings[at] = (beginnings[at] ?? 0) | bit;
    }
  }
  return beginnings;
}

/** What is no digest has no place of its own, and is nothing that is asked for. */
function placeOf(name: string): { readonly at: number; readonly bit: number } {
  const beginning = name.slice(0, hexDigits);
  const number = /^[0-9a-f]+$/.test(beginning) ? Number.parseInt(beginning, 16) : 0;
  return { at: number >> 3, bit: 1 << (number & 7) };
}
