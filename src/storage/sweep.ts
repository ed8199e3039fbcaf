import { join } from 'node:path';
import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/tagged-error.ts';
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
  readonly keepPartialMs: number;
}

/** Each file by itself: one that can't be removed keeps none of the others. */
export async function sweepStore(
  dependencies: SweepDependencies,
  signal: AbortSignal,
): Promise<Swept> {
  const { folder, files } = dependencies;
  const swept = { files: 0, bytes: 0 };
  const remove = async (path: string): Promise<void> => {
    const found = await unlessAbsent(files.stat(path));
    if (found === undefined) return;
    const unlinked = await unlessAbsent(files.unlink(path).then(() => true));
    if (unlinked === undefined) return;
    swept.files += 1;
    swept.bytes += found.size;
  };
  const failures: unknown[] = [];
  const each = async (path: string, work: (name: string) => Promise<void>): Promise<void> => {
    for (const name of await namesIn(path, files)) {
      if (signal.aborted) return;
      await work(name).catch((error: unknown) => {
        failures.push(error);
      });
    }
  };
  await each(folder.trash, (name) => remove(join(folder.trash, name)));
  // First what dead owners left becomes nobody's, then what is nobody's and old goes.
  await each(folder.staging, (name) => settleDead(name, dependencies));
  const removeLeftovers = (): Promise<void> =>
    each(folder.staging, async (name) => {
      if (await isLeftover(name, dependencies)) await remove(join(folder.staging, name));
    });
  await removeLeftovers();
  // Once more for journals whose parts have gone.
  await removeLeftovers();
  const [cause] = failures;
  if (cause !== undefined) {
    throw new Error(`${failures.length} leftovers stay: ${messageOf(cause)}`, { cause });
  }
  return swept;
}

async function namesIn(path: string, files: FileSystem): Promise<readonly string[]> {
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
  const parsed = parseStagingName(name);
  if (parsed?.kind === 'lock') return false;
  const found = await unlessAbsent(files.stat(join(folder.staging, name)));
  if (found === undefined || !found.isFile()) return false;
  const ageMs = clock.now().getTime() - found.mtimeMs;
  return ageMs > (await keepMs(parsed, dependencies));
}

async function keepMs(
  parsed: StagingName | undefined,
  { folder, files, leases, silentMs, keepPartialMs }: SweepDependencies,
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
  return part === undefined ? silentMs : Infinity;
}
