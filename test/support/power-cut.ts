import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { DiskStep, EntryChange } from './recorded-files.ts';

/**
 * What a power cut may leave of a disk: all that was synced, and of the rest whatever the disk had
 * got round to (as ALICE has it, OSDI 2014). A strategy says which of the rest.
 */
export interface CutStrategy {
  readonly name: string;
  /** Whether an unsynced change of folders has reached the disk. */
  keepsEntries(step: number): boolean;
  /** What of the unsynced bytes has; undefined: nothing, not even the file's new length. */
  keepBytes(step: number, bytes: Buffer): Buffer | undefined;
  /** Whether the two sides of a rename are kept apart. */
  readonly splitsRenames: boolean;
}

const all = (): boolean => true;
const none = (): boolean => false;
const half = (_: number, bytes: Buffer): Buffer => bytes.subarray(0, bytes.length >> 1);

/** Those that are the same at each run, and some that the seed chooses. */
export function cutStrategies(chance: (share: number) => boolean, random = 1): CutStrategy[] {
  const fixed: readonly Partial<CutStrategy>[] = [
    { name: 'nothing but what was synced', keepsEntries: none, keepBytes: () => undefined },
    { name: 'entries without their bytes', keepBytes: () => undefined },
    { name: 'lengths without their bytes', keepBytes: (_, bytes) => Buffer.alloc(bytes.length) },
    { name: 'torn bytes', keepBytes: half },
    { name: 'bytes without their entries', keepsEntries: none },
    { name: 'everything, but renames are in two parts', splitsRenames: true },
  ];
  const chosen = Array.from({ length: random }, (_, nth): Partial<CutStrategy> => {
    return {
      name: `some of it (${nth})`,
      keepsEntries: () => chance(0.5),
      keepBytes: (_step, bytes) =>
        chance(0.3) ? undefined : chance(0.5) ? bytes : Buffer.alloc(bytes.length),
    };
  });
  return [...fixed, ...chosen].map((each) => ({
    name: '',
    keepsEntries: all,
    keepBytes: (_step, bytes) => bytes,
    splitsRenames: false,
    ...each,
  }));
}

/** Folders and files, by their paths below the root. */
export interface DiskState {
  readonly folders: readonly string[];
  readonly files: ReadonlyMap<string, Buffer>;
}

/** What is left below `root` when the power fails after these steps. */
export function stateAfterCut(
  steps: readonly DiskStep[],
  root: string,
  strategy: CutStrategy,
): DiskState {
  const folders = new Set<string>([root]);
  const entries = new Map<string, number>();
  const files = new Map<number, Buffer>();
  for (const [index, step] of steps.entries()) {
    if (step.kind === 'folder') {
      const isSynced = isFolderSynced(steps, index, dirname(step.path));
      if (isSynced || strategy.keepsEntries(index)) folders.add(step.path);
    } else if (step.kind === 'entries') {
      const kept = keptChanges(steps, index, step.changes, strategy);
      for (const change of kept) apply(entries, change);
    } else if (step.kind === 'truncate') {
      const isKept = isFileSynced(steps, index, step.file) || strategy.keepsEntries(index);
      if (isKept) files.set(step.file, resized(files.get(step.file), step.size));
    } else if (step.kind === 'write') {
      const isSynced = isFileSynced(steps, index, step.file);
      const bytes = isSynced ? step.bytes : strategy.keepBytes(index, step.bytes);
      if (bytes !== undefined) files.set(step.file, written(files.get(step.file), step.at, bytes));
    }
  }
  const reached = [...entries].filter(([path]) => isWithin(folders, dirname(path)));
  return {
    folders: [...folders]
      .filter((path) => isWithin(folders, path))
      .map((path) => relative(root, path)),
    files: new Map(
      reached.map(([path, file]) => [relative(root, path), files.get(file) ?? Buffer.alloc(0)]),
    ),
  };
}

export function writeState({ folders, files }: DiskState, folder: string): void {
  for (const path of folders) mkdirSync(join(folder, path), { recursive: true });
  for (const [path, bytes] of files) writeFileSync(join(folder, path), bytes);
}

/** The same for states that are the same. */
export function nameOfState({ folders, files }: DiskState): string {
  const hash = createHash('sha256').update(folders.toSorted().join('\0'));
  const inOrder = [...files].toSorted(([a], [b]) => (a < b ? -1 : 1));
  for (const [path, bytes] of inOrder) hash.update(`\0${path}\0${bytes.length}\0`).update(bytes);
  return hash.digest('hex');
}

function isWithin(folders: ReadonlySet<string>, path: string): boolean {
  if (!folders.has(path)) return false;
  const [root] = folders;
  return path === root || isWithin(folders, dirname(path));
}

function isFileSynced(steps: readonly DiskStep[], index: number, file: number): boolean {
  return steps.some((step) => step.kind === 'sync-file' && step.file === file && step.upTo > index);
}

function isFolderSynced(steps: readonly DiskStep[], index: number, path: string): boolean {
  return steps.some(
    (step) => step.kind === 'sync-folder' && step.path === path && step.upTo > index,
  );
}

function keptChanges(
  steps: readonly DiskStep[],
  index: number,
  changes: readonly EntryChange[],
  strategy: CutStrategy,
): readonly EntryChange[] {
  const synced = changes.filter(({ path }) => isFolderSynced(steps, index, dirname(path)));
  // A journal has both sides of a rename or none, unless told.
  if (strategy.splitsRenames) return synced.length > 0 ? synced : changes.slice(0, 1);
  return synced.length > 0 || strategy.keepsEntries(index) ? changes : [];
}

function apply(entries: Map<string, number>, { path, file }: EntryChange): void {
  if (file === undefined) entries.delete(path);
  else entries.set(path, file);
}

function written(before: Buffer = Buffer.alloc(0), at: number, bytes: Buffer): Buffer {
  const after = Buffer.alloc(Math.max(before.length, at + bytes.length));
  before.copy(after);
  bytes.copy(after, at);
  return after;
}

function resized(before: Buffer = Buffer.alloc(0), size: number): Buffer {
  return written(before.subarray(0, size), size, Buffer.alloc(0));
}
