import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fetcher } from 'tuf-js';
import { DownloadHTTPError } from 'tuf-js/dist/error.js';

/**
 * Fetches a file of a TUF repository, through a guard that compose/ hands in: at most `maxBytes`,
 * undefined where there is none (404, and 403, which file stores answer in its place). Rejects for
 * anything else, with a message that may be shown.
 */
export type FetchTufFile = (
  url: string,
  maxBytes: number,
  signal: AbortSignal,
) => Promise<Uint8Array | undefined>;

/** The longest that a file may be where the metadata that names it states no length. */
const maxFileBytes = 8 * 1024 * 1024;

/** tuf-js fetches with this alone: it opens no socket of its own, and writes into `folder` only. */
export function makeTufFetcher(fetch: FetchTufFile, folder: string, signal: AbortSignal): Fetcher {
  const downloadBytes = async (url: string, maxLength: number): Promise<Buffer> => {
    const bytes = await fetch(url, Math.min(maxLength, maxFileBytes), signal);
    if (bytes === undefined) throw new DownloadHTTPError(`${url} is not there`, 404);
    return Buffer.from(bytes);
  };
  return {
    downloadBytes,
    async downloadFile(url, maxLength, handler) {
      const file = join(folder, 'download');
      await writeFile(file, await downloadBytes(url, maxLength));
      return await handler(file);
    },
  };
}
