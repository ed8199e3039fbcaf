import { join } from 'node:path';
import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Digest } from '../oci/digest.ts';
import type { Swept } from './blob-store.ts';
import { type FileSystem, unlessAbsent } from './file-system.ts';
import type { Leases } from './lease.ts';
import { parseStagingName, type StagingName, type StoreFolder } from './store-folder.ts';

export interface SweepDependencies {
  readonly folder: StoreFolder;
  readonly files: FileSystem;
  readonly clock: Clock;
  readonly leases: Leases;
  readonly silentMs: number;
  /** Partial content that nobody asked for goes after so long. */
  readonly keepPartialMs: number;
  /** Notes on content that is not there go after so long; `silentMs` unless told. */
  readonly keepJournalMs?: number;
  /** Only what belongs to these digests goes; to any, unless told. */
  readonly isMeant?: (digest: Digest) => boolean;
}

/** Trash, and what is left over of unfinished content. */
export async function sweepStore(
  dependencies: SweepDependencies,
  signal: AbortSignal,
): Promise<Swept> {
  const { folder } = dependencies;
  const sweeping = makeSweeping(dependencies, signal);
  await sweeping.each(folder.trash, (name) => sweeping.remove(join(folder.trash, name)));
  await sweepStaging(dependencies, sweeping);
  return sweeping.result();
}

/** Unfinished content alone; what somebody is storing at the moment stays. */
export async function sweepPartial(
  dependencies: SweepDependencies,
  signal: AbortSignal,
): Promise<Swept> {
  const sweeping = makeSweeping(dependencies, signal);
  await sweepStaging(dependencies, sweeping);
  return sweeping.result();
}

async function sweepStaging(
  dependencies: SweepDependencies,
  { each, remove }: Sweeping,
): Promise<void> {
  const { staging } = dependencies.folder;
  // First what dead owners left becomes nobody's, then what is nobody's and old goes.
  await each(staging, (name) => settleDead(name, dependencies));
  const removeLeftovers = (): Promise<void> =>
    each(staging, async (name) => {
      if (await isLeftover(name, dependencies)) await remove(join(staging, name));
    });
  await removeLeftovers();
  // Once more for journals whose parts have gone.
  await removeLeftovers();
}

interface Sweeping {
  readonly each: (path: string, work: (name: string) => Promise<void>) => Promise<void>;
  readonly remove: (path: string) => Promise<void>;
  /** Throws if anything could not be removed. */
  readonly result: () => Swept;
}

/** Each file by itself: one that can't be removed keeps none of the others. */
function makeSweeping({ files }: SweepDependencies, signal: AbortSignal): Sweeping {
  const swept = { files: 0, bytes: 0 };
  const failures: unknown[] = [];
  return {
    async each(path, work) {
      for (const name of await namesIn(path, files)) {
        if (signal.aborted) return;
        await work(name).catch((error: unknown) => {
          failures.push(error);
        });
      }
    },
    async remove(path) {
      const bytes = await removeFile(path, files);
      if (bytes === undefined) return;
      swept.files += 1;
      swept.bytes += bytes;
    },
    result() {
      const [cause] = failures;
      if (cause === undefined) return swept;
      throw new Error(`${failures.length} leftovers stay: ${messageOf(cause)}`, { cause });
    },
  };
}

/** The bytes that it had; undefined where it was gone before. */
export async function removeFile(path: string, files: FileSystem): Promise<number | undefined> {
  const found = await unlessAbsent(files.stat(path));
  if (found === undefined) return undefined;
  const unlinked = await unlessAbsent(files.unlink(path).then(() => true));
  return unlinked === undefined ? undefined : found.size;
}

export async function namesIn(path: string, files: FileSystem): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { name } of await files.opendir(path)) names.push(name);
  return names;
}

async function settleDead(name: string, { leases }: SweepDependencies): Promise<void> {
  const parsed = parseStagingName(name);
  if (parsed?.kind !== 'lock') return;
  const holder = await leases.holder(parsed.digest);
  if (holder?.state === 'dead') await leases.settle(parsed.digest, holder);
}

/** Nobody's partial content has some time to be asked for again; what nobody can use has little. */
async function isLeftover(name: string, dependencies: SweepDependencies): Promise<boolean> {
  const { folder, files, clock } = dependencies;
  const { isMeant = () => true } = dependencies;
  const parsed = parseStagingName(name);
  if (parsed?.kind === 'lock' || (parsed !== undefined && !isMeant(parsed.digest))) return false;
  const found = await unlessAbsent(files.stat(join(folder.staging, name)));
  if (found === undefined || !found.isFile()) return false;
  const ageMs = clock.now().getTime() - found.mtimeMs;
  return ageMs > (await keepMs(parsed, dependencies));
}

async function keepMs(
  parsed: StagingName | undefined,
  { folder, files, leases, silentMs, keepPartialMs, keepJournalMs = silentMs }: SweepDependencies,
): Promise<number> {
  if (parsed === undefined) return silentMs;
  const { digest, owner } = parsed;
  if (owner !== undefined) {
    const holder = await leases.holder(digest);
    return holder?.owner === owner ? Infinity : silentMs;
  }
  if (parsed.kind === 'part') return keepPartialMs;
  // Without its journal a part is worth nothing: it goes after it.
  const part = await unlessAbsent(files.stat(folder.partial(digest, undefined).part));
  return part === undefined ? keepJournalMs : Infinity;
}
