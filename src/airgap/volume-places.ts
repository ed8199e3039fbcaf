import { join } from 'node:path';
import { type FileSystem, systemFiles, unlessAbsent } from '../storage/file-system.ts';
import type { Volume } from './bundle.ts';
import { readFailure } from './file-failure.ts';

/** Every copy of a volume in the folders of a bundle, where each is in `volumes/` or by itself. */
export async function findCopies(
  { name }: Pick<Volume, 'name'>,
  places: readonly string[],
  files: Pick<FileSystem, 'stat'> = systemFiles,
): Promise<readonly string[]> {
  const candidates = places.flatMap((place) => [join(place, 'volumes', name), join(place, name)]);
  const found: string[] = [];
  for (const file of candidates) {
    const entry = await unlessAbsent(files.stat(file)).catch((cause: unknown) => {
      throw readFailure(file, cause);
    });
    if (entry?.isFile() === true) found.push(file);
  }
  return found;
}
