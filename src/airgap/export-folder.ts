import { mkdir, readdir, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '../kernel/tagged-error.ts';
import { unlessAbsent } from '../storage/file-system.ts';
import { AirgapError } from './airgap-error.ts';
import { readFailure, writeFailure } from './file-failure.ts';
import { readSmall } from './metadata-files.ts';
import { assertFolder, writeNew } from './new-file.ts';

/** The folder that a bundle is written into. */
export interface ExportFolder {
  readonly path: string;
  /** Which export is at work in it, or was when it was killed; undefined: it is empty. */
  readonly unfinished: Unfinished | undefined;
  /** Makes it the folder of this export, with nothing in it. */
  claim(id: string, sequence: number): Promise<void>;
  /** Makes it ready to go on with its volumes. */
  resume(): Promise<void>;
}

export interface Unfinished {
  readonly id: string;
  readonly sequence: number;
  /** Its metadata are all there; only what comes after them is missing. */
  readonly hasMetadata: boolean;
}

const marker = 'export.unfinished';
const maxMarkerBytes = 100;
const folders = ['volumes', 'targets', 'metadata'] as const;
/** What an export that was killed may leave beside them. */
const ours = new Set<string>([...folders, marker, 'blobs.idx.part']);

/** Throws `AirgapError`: BUNDLE_FINISHED, FOLDER_OCCUPIED. */
export async function openExportFolder(path: string): Promise<ExportFolder> {
  const names = await listOrMake(path);
  const unfinished = await readUnfinished(path);
  if (unfinished === undefined && names.includes('metadata')) {
    const message = `${path} holds a bundle already: export into a folder of its own`;
    throw new AirgapError('BUNDLE_FINISHED', message);
  }
  const foreign = names.find((name) => unfinished === undefined || !ours.has(name));
  if (foreign !== undefined) {
    const message = `${path} is not empty: export into a folder of its own`;
    throw new AirgapError('FOLDER_OCCUPIED', message);
  }
  return {
    path,
    unfinished,
    async claim(id, sequence) {
      await attempt(path, async () => {
        await removeAll(path, [...folders, 'blobs.idx.part']);
        // From here on what is there is this export's.
        const text = `${id} ${sequence}\n`;
        await writeNew(join(path, marker), text);
        await makeAll(path);
      });
    },
    async resume() {
      await attempt(path, async () => {
        // A link would have volumes written wherever it leads.
        await assertFolder(join(path, 'volumes'));
        // Metadata without a timestamp are nothing to go on with.
        await removeAll(path, ['targets', 'metadata']);
        await makeAll(path);
      });
    },
  };
}

async function attempt(path: string, work: () => Promise<void>): Promise<void> {
  await work().catch((cause: unknown) => {
    throw writeFailure(path, cause);
  });
}

async function removeAll(path: string, names: readonly string[]): Promise<void> {
  for (const name of names) await rm(join(path, name), { recursive: true, force: true });
}

async function makeAll(path: string): Promise<void> {
  for (const name of folders) await mkdir(join(path, name), { recursive: true });
}

async function listOrMake(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (cause) {
    if (systemCodeOf(cause) !== 'ENOENT') throw readFailure(path, cause);
  }
  try {
    await mkdir(path, { recursive: true });
    return [];
  } catch (cause) {
    throw writeFailure(path, cause);
  }
}

/** What was begun in the folder; undefined where nothing was, or all of it is done. */
export async function readUnfinished(path: string): Promise<Unfinished | undefined> {
  const failed = (cause: unknown): never => {
    throw readFailure(path, cause);
  };
  const bytes = await readSmall(join(path, marker), maxMarkerBytes, 'METADATA_MALFORMED');
  if (bytes === undefined) return undefined;
  const text = bytes.toString('latin1');
  // Half a line was written when the power went, before there was anything else.
  const [, id = '', sequence = '0'] = /^([0-9a-f]{32}) (\d{1,15})\n$/.exec(text) ?? [];
  const metadata = await unlessAbsent(readdir(join(path, 'metadata'))).catch(failed);
  const hasMetadata = metadata?.includes('timestamp.json') ?? false;
  return { id, sequence: Number(sequence), hasMetadata };
}

/** Nothing but the bundle is left in it. */
export async function releaseFolder(path: string): Promise<void> {
  for (const name of ['blobs.idx.part', marker]) await unlessAbsent(unlink(join(path, name)));
}
