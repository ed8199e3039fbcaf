import type { RepositoryPath } from '../oci/repository.ts';
import type { LayoutFiles } from './layout-files.ts';
import { type LayoutIndex, readLayoutIndex } from './layout-index.ts';
import { readSubjects, type Referrers } from './layout-referrers.ts';

/** One state of index.json with what follows from it. */
export interface LayoutSnapshot {
  readonly version: string;
  readonly index: LayoutIndex;
  /** Computed when first asked for, as it reads every manifest. */
  readonly referrers: () => Promise<Referrers>;
}

/** The current state: index.json is read again when it changed. */
export function rememberSnapshot(
  files: LayoutFiles,
  plain: RepositoryPath | undefined,
): () => Promise<LayoutSnapshot> {
  let held: LayoutSnapshot | undefined;
  return async () => {
    const version = await files.version();
    if (held?.version === version) return held;
    const index = await readLayoutIndex(files, plain);
    let subjects: Promise<Referrers> | undefined;
    const referrers = (): Promise<Referrers> => {
      subjects ??= readSubjects(files, index).catch((error: unknown) => {
        subjects = undefined;
        throw error;
      });
      return subjects;
    };
    held = { version, index, referrers };
    return held;
  };
}
