import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Entries of watched folders that are looked at in all; a trust store has a handful. */
const maxEntries = 10_000;

/**
 * Names, sizes, times and identities of files, in one text that changes when any of them does.
 * Folders count with all that is in them; links count as what they lead to, so that the swap of a
 * mounted volume's link is seen; what is not there counts as that.
 */
export async function fingerprintOf(paths: readonly string[]): Promise<string> {
  const lines: string[] = [];
  const visit = async (path: string): Promise<void> => {
    if (lines.length >= maxEntries) return;
    const found = await stat(path, { bigint: true }).catch(() => undefined);
    if (found === undefined) {
      lines.push(`${path} absent`);
      return;
    }
    lines.push(`${path} ${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}`);
    if (!found.isDirectory()) return;
    const names = await readdir(path).catch(() => []);
    for (const name of names.toSorted((a, b) => (a < b ? -1 : 1))) await visit(join(path, name));
  };
  for (const path of paths) await visit(path);
  return lines.join('\n');
}

export interface FileWatch {
  /** Looks now, and calls back if something has changed since the last look. */
  look(): Promise<void>;
  close(): void;
}

/**
 * Calls back after the files have changed, by looking every `intervalMs`: this works where change
 * events do not (network file systems, mounted volumes), and costs a few system calls.
 */
export async function watchFiles(
  paths: () => readonly string[],
  intervalMs: number,
  onChange: () => Promise<void>,
): Promise<FileWatch> {
  let last = await fingerprintOf(paths());
  let looking: Promise<void> | undefined;
  const lookOnce = async (): Promise<void> => {
    const now = await fingerprintOf(paths());
    if (now === last) return;
    last = now;
    await onChange();
    // Other files may count from now on.
    last = await fingerprintOf(paths());
  };
  const look = (): Promise<void> => {
    looking ??= lookOnce().finally(() => {
      looking = undefined;
    });
    return looking;
  };
  const timer = setInterval(() => void look(), intervalMs);
  timer.unref();
  return { look, close: () => clearInterval(timer) };
}
