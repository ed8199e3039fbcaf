import type { FileHandle } from 'node:fs/promises';
import type { ContentHash } from './content-hash.ts';
import { renderCheckpoint, renderValidator } from './journal.ts';

/**
 * Notes how far content has come. A note only saves a later try some work, so that one that can't
 * be written is no failure; the bytes themselves will tell of a broken disk.
 */
export interface JournalWriter {
  validator(validator: string): Promise<void>;
  /** Of all bytes hashed so far, if there are enough since the last one. */
  checkpointIfDue(): Promise<void>;
  checkpoint(): Promise<void>;
  close(): Promise<void>;
}

/** After a power cut, at most so many bytes are not known to be right. */
const checkpointBytes = 4 * 1024 * 1024;

export function makeJournalWriter(file: Promise<FileHandle>, hash: ContentHash): JournalWriter {
  let noted = hash.bytes;
  const note = async (line: string): Promise<void> => {
    await file.then((journal) => journal.appendFile(line)).catch(() => undefined);
  };
  const checkpoint = async (): Promise<void> => {
    if (hash.bytes === noted) return;
    noted = hash.bytes;
    await note(renderCheckpoint({ length: noted, hash: hash.soFar() }));
  };
  return {
    async validator(validator) {
      const line = renderValidator(validator);
      if (line !== undefined) await note(line);
    },
    checkpoint,
    async checkpointIfDue() {
      if (hash.bytes - noted >= checkpointBytes) await checkpoint();
    },
    close: async () => (await file).close(),
  };
}
