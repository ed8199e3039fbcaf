import { type FileSystem, systemFiles } from '../../src/storage/file-system.ts';

/** The operating system's files, some of whose calls fail as a test says. */
export interface FaultyFiles extends FileSystem {
  /** Calls of that kind on paths that match fail from now on with the code; undefined heals all. */
  fail(call: FileCall, path: RegExp, code: string): void;
  heal(): void;
}

export type FileCall =
  'open' | 'writev' | 'read' | 'datasync' | 'rename' | 'unlink' | 'link' | 'stat';

interface Fault {
  readonly call: FileCall;
  readonly path: RegExp;
  readonly code: string;
}

export function makeFaultyFiles(): FaultyFiles {
  let faults: Fault[] = [];
  const check = (call: FileCall, path: unknown): void => {
    const fault = faults.find((each) => each.call === call && each.path.test(String(path)));
    if (fault === undefined) return;
    throw Object.assign(new Error(`${fault.code}: injected, ${call}`), { code: fault.code });
  };
  const openFaulty: FileSystem['open'] = async (path, flags, mode) => {
    check('open', path);
    const handle = await systemFiles.open(path, flags, mode);
    return new Proxy(handle, {
      get(target, name) {
        const member = Reflect.get(target, name) as unknown;
        if (typeof member !== 'function') return member;
        return async (...words: unknown[]) => {
          if (name === 'writev' || name === 'read' || name === 'datasync') check(name, path);
          return Reflect.apply(member, target, words) as unknown;
        };
      },
    });
  };
  return {
    ...systemFiles,
    open: openFaulty,
    async rename(from, to) {
      check('rename', to);
      return systemFiles.rename(from, to);
    },
    async unlink(path) {
      check('unlink', path);
      return systemFiles.unlink(path);
    },
    async link(from, to) {
      check('link', to);
      return systemFiles.link(from, to);
    },
    stat: (async (path, options) => {
      check('stat', path);
      return systemFiles.stat(path, options);
    }) as FileSystem['stat'],
    fail: (call, path, code) => void faults.push({ call, path, code }),
    heal: () => void (faults = []),
  };
}
