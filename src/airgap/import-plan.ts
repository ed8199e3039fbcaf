import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Digest } from '../oci/digest.ts';
import { parseDigest } from '../oci/digest.ts';
import { type FileSystem, unlessAbsent } from '../storage/file-system.ts';
import type { StoreFolder } from '../storage/store-folder.ts';
import type { BlobRecord } from './bundle.ts';
import type { HeldBlobs, HeldContent } from './held-blobs.ts';
import { type HeldNames, makeHeldNames } from './held-names.ts';
import { intoStore } from './file-failure.ts';
import { lines } from './lines.ts';
import type { ImportFiles } from './store-files.ts';

/** A piece of a blob in a volume, that is to be read. */
export interface PlannedPiece extends HeldContent {
  /** Where in the blob it begins. Bytes. */
  readonly at: number;
  /** Where in the volume it begins. */
  readonly offset: number;
  readonly length: number;
}

/** What of a bundle is to be read; what the store holds is not. */
export interface ImportPlan {
  /** Bytes that the store is going to grow by. */
  readonly neededBytes: number;
  readonly heldBytes: number;
  /** Numbers of the volumes of which something is to be read, in order. */
  readonly volumes: readonly number[];
  /** Blobs that lie in several volumes, and are not whole yet. */
  readonly spanning: readonly HeldContent[];
  /** Blobs without a byte. */
  readonly empty: readonly Digest[];
  /** Content that the bundle takes to be here, and is not: how many, and the first of them. */
  readonly missing: { readonly count: number; readonly first: readonly HeldContent[] };
}

interface PlanDependencies {
  readonly work: ImportFiles;
  readonly folder: StoreFolder;
  readonly held: HeldBlobs;
  /** Volumes that were read to their end before. */
  readonly done: ReadonlySet<number>;
  readonly files: FileSystem;
  readonly onMissing: (content: HeldContent) => Promise<void>;
}

const maxNamed = 20;
const bufferedLines = 4_000;
/** Lines whose blobs are looked for at a time. */
const lookedFor = 32;

/**
 * Goes through the index once, and writes for each volume what of it is to be read: memory for a
 * few thousand lines, however many there are.
 */
export async function planImport(
  records: AsyncIterable<BlobRecord>,
  { work, folder, held, done, files, onMissing }: PlanDependencies,
): Promise<ImportPlan> {
  await rm(work.plans, { recursive: true, force: true });
  await files.mkdir(work.plans, { recursive: true, mode: 0o700 });
  const writer = makePlanWriter(work, files);
  const totals = { neededBytes: 0, heldBytes: 0, missing: 0 };
  const spanning: HeldContent[] = [];
  const empty: Digest[] = [];
  const first: HeldContent[] = [];
  for await (const { record, seen } of lookedUp(records, held, makeHeldNames(folder, files))) {
    const { digest, size, extents } = record;
    const content = { digest, size };
    if (extents === undefined) {
      if (seen === 'fresh') continue;
      totals.missing += 1;
      if (first.length < maxNamed) first.push(content);
      await onMissing(content);
    } else if (seen !== 'absent') {
      totals.heldBytes += size;
    } else if (size === 0) {
      empty.push(digest);
    } else {
      const isSpanning = extents.length > 1;
      if (isSpanning) spanning.push(content);
      const before = isSpanning ? await unlessAbsent(files.stat(work.part(digest))) : undefined;
      totals.neededBytes += size - Math.min(size, (before?.blocks ?? 0) * 512);
      const isThere = (volume: number): boolean => before !== undefined && done.has(volume);
      await writer.add(content, extents, isThere);
    }
  }
  const { neededBytes, heldBytes, missing: count } = totals;
  const volumes = await writer.end();
  return { neededBytes, heldBytes, volumes, spanning, empty, missing: { count, first } };
}

interface LookedUp {
  readonly record: BlobRecord;
  /** What is taken to be here is never `old`: it was hashed again. */
  readonly seen: 'absent' | 'old' | 'fresh';
}

/** In their order. A million files that are looked for one after the other take minutes. */
async function* lookedUp(
  records: AsyncIterable<BlobRecord>,
  held: HeldBlobs,
  names: HeldNames,
): AsyncGenerator<LookedUp> {
  const look = async (record: BlobRecord): Promise<LookedUp> => {
    const mayBeThere = await names.mayHave(record.digest);
    return { record, seen: mayBeThere ? await held.look(record) : 'absent' };
  };
  // One at a time: each takes memory.
  const lookAgain = async ({ record, seen }: LookedUp): Promise<LookedUp> => {
    if (seen !== 'old' || record.extents !== undefined) return { record, seen };
    return { record, seen: (await held.isWhole(record)) ? 'fresh' : 'absent' };
  };
  let looking: Promise<LookedUp>[] = [];
  for await (const record of records) {
    looking.push(look(record));
    if (looking.length < lookedFor) continue;
    for (const found of await Promise.all(looking)) yield await lookAgain(found);
    looking = [];
  }
  for (const found of await Promise.all(looking)) yield await lookAgain(found);
}

function makePlanWriter(work: ImportFiles, files: FileSystem) {
  const volumes = new Set<number>();
  let buffered: string[] = [];
  let open = 0;
  const flush = async (): Promise<void> => {
    if (buffered.length === 0) return;
    const text = buffered.join('');
    buffered = [];
    const path = work.plan(open);
    await intoStore(path, () => files.writeFile(path, text, { flag: 'a', mode: 0o600 }));
  };
  return {
    async add(
      { digest, size }: HeldContent,
      extents: NonNullable<BlobRecord['extents']>,
      isThere: (volume: number) => boolean,
    ): Promise<void> {
      let at = 0;
      for (const { volume, offset, length } of extents) {
        if (!isThere(volume)) {
          if (volume !== open || buffered.length >= bufferedLines) await flush();
          open = volume;
          volumes.add(volume);
          buffered.push(`${digest} ${size} ${at} ${offset} ${length}\n`);
        }
        at += length;
      }
    },
    async end(): Promise<readonly number[]> {
      await flush();
      return [...volumes].toSorted((a, b) => a - b);
    },
  };
}

const maxLineBytes = 300;

/** What `planImport` wrote for a volume, in the order of places. */
export async function* readPlan(work: ImportFiles, volume: number): AsyncGenerator<PlannedPiece> {
  const torn = (): Error => new TypeError(`the plan for volume ${volume} is damaged`);
  const stream = createReadStream(work.plan(volume), { highWaterMark: 64 * 1024 });
  for await (const line of lines(stream, maxLineBytes, torn)) {
    const [name = '', size, at, offset, length] = line.split(' ');
    const digest = parseDigest(name);
    if (digest === undefined) throw torn();
    yield {
      digest,
      size: Number(size),
      at: Number(at),
      offset: Number(offset),
      length: Number(length),
    };
  }
}
