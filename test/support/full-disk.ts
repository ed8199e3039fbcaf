import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { type FileSystem, systemFiles } from '../../src/storage/file-system.ts';

/** A disk that is full from some call on. */
export interface FullDisk extends FileSystem {
  /** Calls so far that need room. */
  count(): number;
}

const needRoom: ReadonlySet<string> = new Set(['mkdir', 'link', 'writeFile']);
const needRoomInFile: ReadonlySet<string> = new Set(['writev', 'writeFile', 'sync', 'datasync']);

/** Calls that need room fail from the `first` on, counted from 1. */
export function makeFullDisk(first = Infinity): FullDisk {
  let calls = 0;
  const take = (call: string): void => {
    calls += 1;
    if (calls < first) return;
    throw Object.assign(new Error(`ENOSPC: no space left on device, ${call}`), { code: 'ENOSPC' });
  };
  const open: FileSystem['open'] = async (path, flags, mode) => {
    if (makesFiles(flags)) take('open');
    return guard(await systemFiles.open(path, flags, mode), needRoomInFile, take);
  };
  return { ...guard({ ...systemFiles }, needRoom, take), open, count: () => calls };
}

function makesFiles(flags: string | number | undefined): boolean {
  return typeof flags === 'number' ? (flags & constants.O_CREAT) !== 0 : /[wa]/.test(flags ?? 'r');
}

/** The same members; those that are named take room first. */
function guard<T extends FileSystem | FileHandle>(
  target: T,
  names: ReadonlySet<string>,
  take: (call: string) => void,
): T {
  const members = new Map<PropertyKey, unknown>();
  const guarded = (name: string, member: (...words: unknown[]) => unknown) => {
    return async (...words: unknown[]) => {
      take(name);
      return Reflect.apply(member, target, words);
    };
  };
  const proxy = new Proxy(target, {
    get(_, name) {
      const member = Reflect.get(target, name) as unknown;
      if (typeof member !== 'function') return member;
      const bound = member.bind(target) as (...words: unknown[]) => unknown;
      const known =
        members.get(name) ?? (names.has(String(name)) ? guarded(String(name), bound) : bound);
      members.set(name, known);
      return known;
    },
  });
  return proxy;
}
