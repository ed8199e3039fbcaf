import { mkdir, readdir, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '../kernel/tagged-error.ts';
import { unlessAbsent } from '../storage/file-system.ts';
import { AirgapError } from './airgap-error.ts';
import { readFailure, writeFailure } from './file-failure.ts';

/** The folder that a bundle is written into. */
export interface ExportFolder {
  readonly path: string;
  /** Which export is at work in it, or was when it was killed; undefined: it is empty. */
  readonly unfinished: Unfinished | undefined;
  /** Makes it the folder of this export, with nothing in it. */
  claim(id: string, sequence: number): Promise<void>;
  /** The bundle is whole: nothing else is left in it. */
  release(): Promise<void>;
}

export interface Unfinished {
  readonly id: string;
  readonly sequence: number;
  /** Its metadata are all there; only what comes after them is missing. */
  readonly hasMetadata: boolean;
}

const marker = 'export.unfinished';
const folders = ['volumes', 'targets', 'metadata'] as const;
/** What an export that was killed may leave beside them. */
const ours = new Set<string>([...folders, marker, 'blobs.idx.part']);

/** Throws `AirgapError`: BUNDLE_FINISHED, FOLDER_OCCUPIED. */
export async function openExportFolder(path: string): Promise<ExportFolder> {
  const names = await listOrMake(path);
  const unfinished = names.includes(marker) ? await readMarker(path) : undefined;
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
      try {
        // The marker goes first and comes last: what has none is nobody's to go on with.
        await writeFile(join(path, marker), `${id} ${sequence}\n`, { flush: true });
        for (const name of [...folders, 'blobs.idx.part']) {
          await rm(join(path, name), { recursive: true, force: true });
        }
        for (const name of folders) await mkdir(join(path, name));
      } catch (cause) {
        throw writeFailure(path, cause);
      }
    },
    async release() {
      await unlessAbsent(unlink(join(path, marker)));
    },
  };
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

async function readMarker(path: string): Promise<Unfinished> {
  const text = await readFile(join(path, marker), 'utf8').catch((cause: unknown) => {
    throw readFailure(path, cause);
  });
  // Half a line was written when the power went, before there was anything else.
  const [, id = '', sequence = '0'] = /^([0-9a-f]{32}) (\d{1,15})\n$/.exec(text) ?? [];
  const metadata = await unlessAbsent(readdir(join(path, 'metadata')));
  const hasMetadata = metadata?.includes('timestamp.json') ?? false;
  return { id, sequence: Number(sequence), hasMetadata };
}
