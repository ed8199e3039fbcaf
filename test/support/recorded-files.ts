import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type FileSystem, systemFiles } from '../../src/storage/file-system.ts';

/** What was done to a disk, in the order in which it was done with. Files are told by number. */
export type DiskStep =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'write'; readonly file: number; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly file: number; readonly size: number }
  /** Entries of folders that changed together; no file: there is none of that name any more. */
  | { readonly kind: 'entries'; readonly changes: readonly EntryChange[] }
  /** `upTo`: steps before this one are known to have been done when the call was made. */
  | { readonly kind: 'sync-file'; readonly file: number; readonly upTo: number }
  | { readonly kind: 'sync-folder'; readonly path: string; readonly upTo: number };

export interface EntryChange {
  readonly path: string;
  readonly file: number | undefined;
}

/** The operating system's files, and a list of all that was changed. */
export interface RecordedFiles extends FileSystem {
  readonly steps: readonly DiskStep[];
}

export function makeRecordedFiles(): RecordedFiles {
  const steps: DiskStep[] = [];
  const names = new Map<string, number>();
  const sizes = new Map<number, number>();

  const change = (...changes: readonly EntryChange[]): void => {
    for (const { path, file } of changes) {
      if (file === undefined) names.delete(path);
      else names.set(path, file);
    }
    steps.push({ kind: 'entries', changes });
  };
  const fileAt = (path: string): number => {
    const known = names.get(path);
    if (known !== undefined) return known;
    const file = sizes.size + 1;
    sizes.set(file, 0);
    change({ path, file });
    return file;
  };
  const write = (file: number, at: number, bytes: Buffer): void => {
    sizes.set(file, Math.max(sizes.get(file) ?? 0, at + bytes.length));
    steps.push({ kind: 'write', file, at, bytes });
  };
  const truncate = (file: number, size: number): void => {
    sizes.set(file, size);
    steps.push({ kind: 'truncate', file, size });
  };

  const record = (handle: FileHandle, path: string): FileHandle => {
    const file = fileAt(path);
    const sync = async (work: () => Promise<void>): Promise<void> => {
      const upTo = steps.length;
      await work();
      steps.push({ kind: 'sync-file', file, upTo });
    };
    const recorded: Partial<Record<string, (...words: never[]) => Promise<unknown>>> = {
      async writev(chunks: readonly Uint8Array[], at: number) {
        const done = await handle.writev(chunks, at);
        write(file, at, Buffer.concat(chunks).subarray(0, done.bytesWritten));
        return done;
      },
      async appendFile(text: string) {
        await handle.appendFile(text);
        write(file, sizes.get(file) ?? 0, Buffer.from(text));
      },
      async truncate(size: number) {
        await handle.truncate(size);
        truncate(file, size);
      },
      datasync: () => sync(() => handle.datasync()),
      sync: () => sync(() => handle.sync()),
    };
    return withMembers(handle, recorded);
  };
  const recordFolder = (handle: FileHandle, path: string): FileHandle =>
    withMembers(handle, {
      async sync() {
        const upTo = steps.length;
        await handle.sync();
        steps.push({ kind: 'sync-folder', path, upTo });
      },
    });

  const made = {
    ...systemFiles,
    steps,
    async open(path: string, flags: string | number, mode: number) {
      const handle = await systemFiles.open(path, flags, mode);
      if ((await handle.stat()).isDirectory()) return recordFolder(handle, path);
      return record(handle, path);
    },
    async mkdir(path: string, options: object) {
      const found = await systemFiles.stat(path).catch(() => undefined);
      if (found === undefined) await made.mkdir(dirname(path), options);
      else return undefined;
      await systemFiles.mkdir(path, options);
      steps.push({ kind: 'folder', path });
      return path;
    },
    async writeFile(path: string, text: string, options: object) {
      await systemFiles.writeFile(path, text, options);
      const file = fileAt(path);
      truncate(file, 0);
      write(file, 0, Buffer.from(text));
    },
    async rename(from: string, to: string) {
      await systemFiles.rename(from, to);
      change({ path: to, file: names.get(from) }, { path: from, file: undefined });
    },
    async link(from: string, to: string) {
      await systemFiles.link(from, to);
      change({ path: to, file: names.get(from) });
    },
    async unlink(path: string) {
      await systemFiles.unlink(path);
      change({ path, file: undefined });
    },
  };
  return made as unknown as RecordedFiles;
}

function withMembers(
  handle: FileHandle,
  members: Partial<Record<string, (...words: never[]) => Promise<unknown>>>,
): FileHandle {
  return new Proxy(handle, {
    get(target, name) {
      const own = typeof name === 'string' ? members[name] : undefined;
      const member: unknown = own ?? Reflect.get(target, name);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}
