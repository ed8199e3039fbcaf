import type { FileSystem } from '../storage/file-system.ts';
import { algorithms, type StoreFolder, syncFolder } from '../storage/store-folder.ts';
import { AirgapError } from './airgap-error.ts';
import type { Volume, VolumeList } from './bundle.ts';
import type { ImportJournal } from './import-journal.ts';
import { type ImportPlan, readPlan } from './import-plan.ts';
import { takePieces } from './import-volume.ts';
import type { PartWriter } from './part-writer.ts';
import type { ImportFiles } from './store-files.ts';
import type { VolumeOwner } from './volume-list.ts';
import { findCopies } from './volume-places.ts';
import { readVolume } from './volume-reader.ts';

interface VolumesDependencies {
  readonly work: ImportFiles;
  readonly folder: StoreFolder;
  readonly files: FileSystem;
  readonly journal: ImportJournal;
  readonly writer: PartWriter;
  /** Where the bundle's volumes may lie, each in `volumes/` or by itself. */
  readonly places: readonly string[];
  readonly onBytes: (bytes: number) => void;
}

/**
 * Reads what the plan asks for out of the volumes that are there, from whichever place has a copy
 * without damage. All that can be had is taken first; then what is damaged or missing is thrown:
 * `AirgapError` (CHUNK_CORRUPT, VOLUME_TRUNCATED, VOLUME_FOREIGN, VOLUME_MISSING), in one message.
 */
export async function readVolumes(
  plan: ImportPlan,
  { volumes, chunkBytes }: VolumeList,
  owner: VolumeOwner,
  dependencies: VolumesDependencies,
  signal: AbortSignal,
): Promise<void> {
  const damages: AirgapError[] = [];
  const missing: string[] = [];
  for (const number of plan.volumes) {
    const volume = volumes[number - 1];
    if (volume === undefined) throw new TypeError(`there is no volume ${number}`);
    const copies = await findCopies(volume, dependencies.places, dependencies.files);
    if (copies.length === 0) missing.push(volume.name);
    else
      damages.push(
        ...(await readOne({ ...owner, volume, chunkBytes }, copies, dependencies, signal)),
      );
  }
  await dependencies.writer.close();
  const [first, ...others] = damages;
  if (first !== undefined) {
    const messages = [first, ...others].map(({ message }) => message);
    const rest = missing.length === 0 ? [] : [describeMissing(missing)];
    throw new AirgapError(first.code, [...messages.slice(0, maxNamed), ...rest].join('; '), {
      cause: first,
    });
  }
  if (missing.length > 0) throw new AirgapError('VOLUME_MISSING', describeMissing(missing));
}

const maxNamed = 50;

function describeMissing(names: readonly string[]): string {
  const more = names.length > maxNamed ? ` and ${names.length - maxNamed} more` : '';
  const named = names.slice(0, maxNamed).join(', ');
  return `volumes are missing: ${named}${more}; what was read stays: run it again with them`;
}

interface WantedVolume extends VolumeOwner {
  readonly volume: Volume;
  readonly chunkBytes: number;
}

/** The damage for which something of it could not be had; none if it is done. */
async function readOne(
  wanted: WantedVolume,
  copies: readonly string[],
  dependencies: VolumesDependencies,
  signal: AbortSignal,
): Promise<readonly AirgapError[]> {
  const damages: AirgapError[] = [];
  for (const file of copies) {
    if (await readCopy(wanted, file, damages, dependencies, signal)) {
      await makeLast(dependencies);
      await dependencies.journal.finish(wanted.volume.number);
      return [];
    }
  }
  await makeLast(dependencies);
  return damages;
}

async function readCopy(
  wanted: WantedVolume,
  file: string,
  damages: AirgapError[],
  { work, writer, files, onBytes }: VolumesDependencies,
  signal: AbortSignal,
): Promise<boolean> {
  const { volume } = wanted;
  const needed = await chunksOf(wanted, work);
  const chunks = readVolume({
    ...wanted,
    file,
    files,
    wanted: (index) => needed.has(index),
    onDamage: (damage) => void damages.push(damage),
  });
  const pieces = readPlan(work, volume.number);
  try {
    return (await takePieces(pieces, chunks, writer, onBytes, signal)).isComplete;
  } catch (error) {
    const isOfCopy = error instanceof AirgapError && copyCodes.has(error.code);
    if (!isOfCopy) throw error;
    damages.push(error);
    return false;
  }
}

/** What is wrong with one copy of a volume; another may do. */
const copyCodes: ReadonlySet<string> = new Set([
  'VOLUME_FOREIGN',
  'VOLUME_TRUNCATED',
  'READ_FAILED',
]);

/** Numbers of the chunks that pieces lie in; at most as many as the volume list has. */
async function chunksOf(
  { volume, chunkBytes }: WantedVolume,
  work: ImportFiles,
): Promise<ReadonlySet<number>> {
  const needed = new Set<number>();
  for await (const { offset, length } of readPlan(work, volume.number)) {
    const last = Math.floor((offset + length - 1) / chunkBytes);
    for (let index = Math.floor(offset / chunkBytes); index <= last; index += 1) needed.add(index);
  }
  return needed;
}

/** What was written and renamed would survive a power cut. */
async function makeLast({ writer, folder, work, files }: VolumesDependencies): Promise<void> {
  await writer.settle();
  await syncFolder(work.parts, files);
  for (const algorithm of algorithms) await syncFolder(folder.blobs(algorithm), files);
}
