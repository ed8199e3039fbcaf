import type { Seal } from '../gate/sealed.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Digest } from '../oci/digest.ts';
import { type DurableFile, makeDurableFile } from '../storage/durable-file.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { AirgapError } from './airgap-error.ts';
import type { Sequence } from './bundle.ts';
import { intoStore } from './file-failure.ts';
import type { TrustedMetadata } from './metadata-state.ts';
import type { StoreFiles } from './store-files.ts';

/** What a zone remembers of its stream, so that nothing it trusts goes back. */
export interface StoreState {
  /** One more with each writing. */
  readonly count: number;
  readonly stream: string;
  readonly metadata: TrustedMetadata;
  /** Of the newest bundle that was imported. */
  readonly sequence: Sequence;
  /** The SHA-256 of its snapshot metadata. */
  readonly snapshot: Digest;
  /** Of the newest bundle with content; 0 before the first. */
  readonly contentSequence: Sequence;
  /** By `UPSTREAM/PATH:TAG`, those that are gone too. */
  readonly tags: Readonly<Record<string, TagState>>;
  /** The newest time that was signed, or that the clock had at an import. Milliseconds. */
  readonly latestMs: number;
}

export interface TagState {
  readonly version: number;
  readonly digest: Digest;
}

/** Two copies, each sealed under its own name. */
export interface StoreStates {
  /**
   * Undefined before the first import. A copy that is behind, or damaged, is made anew. Throws
   * `AirgapError` (STORE_DAMAGED).
   */
  read(): Promise<StoreState | undefined>;
  write(state: StoreState): Promise<void>;
}

const maxStateBytes = 256 * 1024 * 1024;
const sealName = 'airgap state';

export function makeStoreStates(
  { states, root }: StoreFiles,
  seal: Seal,
  files: FileSystem,
): StoreStates {
  const copies = states.map((path) => makeDurableFile(path, maxStateBytes, files));
  const writeCopies = async (state: StoreState, to: readonly DurableFile[]): Promise<void> => {
    const sealed = seal.close(sealName, state);
    // One after the other: a power cut may cost one of them.
    for (const copy of to) await intoStore(copy.path, () => copy.write(sealed));
  };
  return {
    async read() {
      const found = await Promise.all(copies.map((copy) => readCopy(copy, seal)));
      const whole = found.filter((each) => typeof each === 'object');
      const [newest] = whole.toSorted((a, b) => b.count - a.count);
      if (newest === undefined && found.every((each) => each === 'absent')) return undefined;
      if (newest !== undefined) {
        const isBehind = (index: number): boolean => {
          const copy = found[index];
          return typeof copy !== 'object' || copy.count < newest.count;
        };
        await writeCopies(
          newest,
          copies.filter((_, index) => isBehind(index)),
        );
        return newest;
      }
      throw new AirgapError(
        'STORE_DAMAGED',
        `what ${root} remembers of its stream does not open: it is damaged, or was sealed with` +
          ' another key (state.keys, or state.key under storage.path)',
      );
    },
    write: (state) => writeCopies(state, copies),
  };
}

async function readCopy(copy: DurableFile, seal: Seal): Promise<StoreState | 'absent' | 'damaged'> {
  try {
    const bytes = await copy.read();
    if (bytes === undefined) return 'absent';
    return (seal.open(sealName, bytes) as StoreState | undefined) ?? 'damaged';
  } catch (cause) {
    throw new AirgapError('READ_FAILED', `${copy.path} can not be read: ${messageOf(cause)}`, {
      cause,
    });
  }
}
