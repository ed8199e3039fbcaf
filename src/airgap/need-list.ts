import { rm } from 'node:fs/promises';
import type { FileSystem } from '../storage/file-system.ts';
import type { BundleDocument } from './bundle.ts';
import type { HeldContent } from './held-blobs.ts';
import { intoStore } from './file-failure.ts';
import type { StoreFiles } from './store-files.ts';

/** `need.json`: content that a bundle takes to be here and is not, for whoever makes bundles. */
export interface NeedList {
  readonly add: (content: HeldContent) => Promise<void>;
  end(): Promise<void>;
}

const bufferedEntries = 1_000;

/** The list of an earlier try is gone once a new one is begun; without entries there is none. */
export function openNeedList(
  { need }: Pick<StoreFiles, 'need'>,
  { stream, sequence, base }: Pick<BundleDocument, 'stream' | 'sequence' | 'base'>,
  files: FileSystem,
): NeedList {
  let buffered: string[] = [];
  let isBegun = false;
  const flush = async (end: string): Promise<void> => {
    const head = JSON.stringify({ stream, sequence, base }).slice(0, -1);
    const text = `${isBegun ? '' : `${head},"missing":[\n`}${buffered.join('')}${end}`;
    const flag = isBegun ? 'a' : 'w';
    isBegun = true;
    buffered = [];
    await intoStore(need, () => files.writeFile(need, text, { flag, mode: 0o600 }));
  };
  let isFirst = true;
  return {
    async add({ digest, size }) {
      buffered.push(`${isFirst ? '' : ',\n'}${JSON.stringify({ digest, size })}`);
      isFirst = false;
      if (buffered.length >= bufferedEntries) await flush('');
    },
    async end() {
      if (isFirst) await rm(need, { force: true });
      else await flush('\n]}\n');
    },
  };
}
