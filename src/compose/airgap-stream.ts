import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AirgapError } from '../airgap/airgap-error.ts';
import { type ExportLedger, makeExportLedger } from '../airgap/export-record.ts';
import { writeFailure } from '../airgap/file-failure.ts';
import { holdLock } from '../airgap/hold-lock.ts';
import type { Config } from '../config/schema.ts';
import { makeSeal } from '../gate/sealed.ts';
import { systemFiles } from '../storage/file-system.ts';
import { openSealKeys } from './state-folder.ts';

/** What this site keeps of a stream that it exports, for one export alone. */
export interface ExportStream {
  readonly ledger: ExportLedger;
  /** For files that are gone when the export ends. */
  readonly workFolder: string;
}

/**
 * Opens it under `storage.path`; given back by `opened`. Throws `AirgapError`, STREAM_BUSY, while
 * another export is at work on the stream.
 */
export async function openExportStream(
  config: Config,
  stream: string,
  opened: AsyncDisposableStack,
): Promise<ExportStream> {
  const folder = join(config.storage.path, 'airgap', stream);
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw writeFailure(folder, cause);
  });
  const lock = join(folder, 'export.lock');
  const release = await holdLock(lock, { staging: folder }, systemFiles).catch((cause: unknown) => {
    throw writeFailure(lock, cause);
  });
  if (release === undefined) {
    const message = `another export is at work on stream ${stream}, says ${lock}: wait until it ends`;
    throw new AirgapError('STREAM_BUSY', message);
  }
  opened.defer(release);
  const seal = makeSeal(await openSealKeys(config));
  return { ledger: makeExportLedger(folder, stream, seal), workFolder: join(folder, 'work') };
}
