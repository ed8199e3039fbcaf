import type { Digest } from '../oci/digest.ts';
import type { Sequence } from './bundle.ts';
import { finish } from './export-bundle.ts';
import type { ExportFolder } from './export-folder.ts';
import type { ExportLedger } from './export-record.ts';

/**
 * Ends what a run began that was killed when its bundle was whole, but not known to be. Gives its
 * number; undefined where there is nothing to end. `snapshotOf` gives the snapshot's SHA-256 of
 * metadata in the folder that verify, and throws for others.
 */
export async function endInterrupted(
  folder: ExportFolder,
  ledger: ExportLedger,
  snapshotOf: (sequence: Sequence) => Promise<Digest>,
): Promise<Sequence | undefined> {
  const { unfinished } = folder;
  if (unfinished?.hasMetadata !== true) return undefined;
  const { id, sequence } = unfinished;
  const open = await ledger.open();
  if (open?.id === id) {
    if (open.record === undefined) return undefined;
    await finish({ ...open.record, snapshot: await snapshotOf(sequence) }, { ledger, folder });
    return sequence;
  }
  const latest = await ledger.latest();
  if (latest?.sequence !== sequence) return undefined;
  await folder.release();
  return sequence;
}
