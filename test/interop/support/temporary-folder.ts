import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Owner } from './process.ts';

/** A folder with a short path, as sockets need one, that goes when its owner ends. */
export async function makeTemporaryFolder(owner: Owner): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-interop-'));
  owner.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
