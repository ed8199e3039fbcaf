import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Entries of a folder that are looked at in all; a trust store has a handful. */
const maxEntries = 10_000;

/**
 * Name, size, times and identity of a file, in one text that changes when any of them does. A
 * folder counts with all that is in it; a link counts as what it leads to, so that the swap of a
 * mounted volume's link is seen; what is not there counts as that.
 */
export async function fingerprintOf(path: string): Promise<string> {
  const lines: string[] = [];
  const visit = async (each: string): Promise<void> => {
    if (lines.length >= maxEntries) return;
    const found = await stat(each, { bigint: true }).catch(() => undefined);
    if (found === undefined) {
      lines.push(`${each} absent`);
      return;
    }
    lines.push(`${each} ${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}`);
    if (!found.isDirectory()) return;
    const names = await readdir(each).catch(() => []);
    for (const name of names.toSorted((a, b) => (a < b ? -1 : 1))) await visit(join(each, name));
  };
  await visit(path);
  return lines.join('\n');
}

export interface FileWatch {
  /** Looks now, and calls back if something is not as it was read. */
  look(): Promise<void>;
  close(): void;
}

/**
 * Calls back while a file is not as `asRead` says it was when it was read, by looking every
 * `intervalMs`: this works where change events do not (network file systems, mounted volumes), and
 * costs a few system calls. Without a look of its own at the start no change can come between.
 */
export function watchFiles(
  asRead: () => ReadonlyMap<string, string>,
  intervalMs: number,
  onChange: () => Promise<void>,
): FileWatch {
  let looking: Promise<void> | undefined;
  const lookOnce = async (): Promise<void> => {
    for (const [path, fingerprint] of asRead()) {
      if ((await fingerprintOf(path)) !== fingerprint) {
        await onChange();
        return;
      }
    }
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
