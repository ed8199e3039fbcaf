import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../kernel/clock.ts';
import { type FileSystem, unlessAbsent } from '../storage/file-system.ts';
import type { StoreFiles } from './store-files.ts';

/** What `makeDurableFile` calls a file until it is whole. */
const draft = /\.[0-9a-f]{16}$/;
/** What locks are made and dropped by. */
const lockDraft = /^[0-9a-f]{16}\.(?:draft|dropped)$/;
/** Another process may be at it. */
const lockDraftMs = 60_000;

/** Takes away what imports left behind that were killed while they wrote; nobody else writes now. */
export async function sweepStore(
  { root, receipts, folder, layoutWork }: StoreFiles,
  files: FileSystem,
  clock: Clock,
): Promise<void> {
  await rm(layoutWork.root, { recursive: true, force: true });
  for (const place of [root, receipts]) {
    for (const name of await readdir(place)) {
      if (draft.test(name)) await unlessAbsent(files.unlink(join(place, name)));
    }
  }
  for (const name of await readdir(folder.staging)) {
    if (!lockDraft.test(name)) continue;
    const path = join(folder.staging, name);
    const found = await unlessAbsent(files.stat(path));
    const ageMs = clock.now().getTime() - (found?.mtimeMs ?? 0);
    if (ageMs > lockDraftMs) await unlessAbsent(files.unlink(path));
  }
}
