import { resolve } from 'node:path';
import type { Digest } from '../oci/digest.ts';
import type { Sequence } from './bundle.ts';
import { readUnfinished, releaseFolder } from './export-folder.ts';
import type { ExportLedger, ExportRecord, OpenExport } from './export-record.ts';

/** Makes a bundle known for good that is whole. */
export async function endExport(
  record: ExportRecord,
  folder: string,
  ledger: ExportLedger,
): Promise<void> {
  await ledger.keep(record);
  await ledger.setOpen(undefined);
  await releaseFolder(folder);
}

/**
 * Ends what a run began that was killed when its bundle was whole, but not known to be, wherever
 * that is. Gives the number of the bundle that is whole in `folder`; undefined where none is.
 * `snapshotOf` gives the snapshot's SHA-256 of a bundle that verifies and has that number, and throws
 * for others.
 */
export async function endInterrupted(
  folder: string,
  ledger: ExportLedger,
  snapshotOf: (folder: string, sequence: Sequence) => Promise<Digest>,
): Promise<Sequence | undefined> {
  const open = await ledger.open();
  if (open?.record !== undefined && (await isWhole(open))) {
    const snapshot = await snapshotOf(open.folder, open.sequence);
    await endExport({ ...open.record, snapshot }, open.folder, ledger);
    if (resolve(open.folder) === resolve(folder)) return open.sequence;
  }
  const here = await readUnfinished(folder);
  if (here?.hasMetadata !== true) return undefined;
  // All was done but for taking the marker away.
  const latest = await ledger.latest();
  if (latest?.sequence !== here.sequence) return undefined;
  await releaseFolder(folder);
  return here.sequence;
}

/**
 * The number for a new bundle: that of one that was given up before anything of it was signed, or
 * one that nobody had.
 */
export async function takeSequence(
  givenUp: OpenExport | undefined,
  ledger: ExportLedger,
): Promise<Sequence> {
  if (givenUp !== undefined && (await isUnsigned(givenUp))) return givenUp.sequence;
  const sequence = (await ledger.lastSequence()) + 1;
  await ledger.reserve(sequence);
  return sequence;
}

async function isWhole({ id, folder }: OpenExport): Promise<boolean> {
  const there = await readUnfinished(folder).catch(() => undefined);
  return there?.id === id && there.hasMetadata;
}

/** Its folder may be out of reach: then it may have been signed. */
async function isUnsigned({ id, folder, record }: OpenExport): Promise<boolean> {
  if (record === undefined) return true;
  const there = await readUnfinished(folder).catch(() => undefined);
  return there?.id === id && !there.hasMetadata;
}
