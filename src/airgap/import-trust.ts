import { mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { makeDurableFile } from '../storage/durable-file.ts';
import { type FileSystem, unlessAbsent } from '../storage/file-system.ts';
import type { ImportDependencies, VerifiedBundle } from './import-bundle.ts';
import { intoStore } from './file-failure.ts';
import type { Published } from './published.ts';

/** Of the trust files' folder: what is known of revocations. */
const revocationFolder = 'revocation';

/**
 * Lays out the trust files of a bundle in the import's own folder: `trust/NAME` becomes `NAME`. A
 * bundle of revocations alone leaves those of the one in force as they are, but for what it has
 * anew; of revocations it has all that is known, or nothing. Resolves with how old what is known of
 * revocations says that it is. Throws `AirgapError`.
 */
export async function stageTrust(
  {
    bundle,
    published,
  }: { readonly bundle: VerifiedBundle; readonly published?: Published | undefined },
  { store, files, readRevocation }: ImportDependencies,
): Promise<Date | undefined> {
  const { document, copyTrust } = bundle;
  const { trust: folder } = store.work;
  await intoStore(folder, async () => {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const { path } of document.trust) {
      const into = join(folder, path.replace(/^trust\//, ''));
      await mkdir(dirname(into), { recursive: true, mode: 0o700 });
      await copyTrust(path, into);
    }
    if (document.kind === 'revocation' && published !== undefined) {
      await keepOthers(store.trust(published.generation), folder, files);
    }
  });
  return await readRevocation(join(folder, revocationFolder));
}

async function keepOthers(from: string, into: string, files: FileSystem): Promise<void> {
  const there = await namesIn(into);
  const hasRevocation = [...there].some(isRevocation);
  for (const name of await namesIn(from)) {
    if (there.has(name) || (hasRevocation && isRevocation(name))) continue;
    const bytes = await files.readFile(join(from, name));
    await mkdir(dirname(join(into, name)), { recursive: true, mode: 0o700 });
    await makeDurableFile(join(into, name), bytes.length, files).write(bytes);
  }
}

function isRevocation(name: string): boolean {
  return name.startsWith(`${revocationFolder}${sep}`);
}

/** Of all files below the folder, from there. */
async function namesIn(folder: string): Promise<ReadonlySet<string>> {
  const entries = await unlessAbsent(readdir(folder, { recursive: true, withFileTypes: true }));
  const found = (entries ?? []).filter((entry) => entry.isFile());
  return new Set(found.map(({ parentPath, name }) => relative(folder, join(parentPath, name))));
}
