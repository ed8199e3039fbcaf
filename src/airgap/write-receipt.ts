import { join } from 'node:path';
import { makeDurableFile } from '../storage/durable-file.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { intoStore } from './file-failure.ts';
import type { Published } from './published.ts';
import type { ReceiptKey } from './receipt.ts';
import type { StoreFiles } from './store-files.ts';

/** Writes the receipt of what is published into `receipts/`, by its sequence; the same each time. */
export async function writeReceipt(
  { receipts }: Pick<StoreFiles, 'receipts'>,
  files: FileSystem,
  { stream, sequence, snapshot, leftOut }: Published,
  key: ReceiptKey,
): Promise<string> {
  const receipt = key.sign({ stream, sequence, snapshot, leftOut });
  const path = join(receipts, `${sequence}.txt`);
  const file = makeDurableFile(path, 1024, files);
  await intoStore(path, () => file.write(Buffer.from(`${receipt}\n`)));
  return receipt;
}
