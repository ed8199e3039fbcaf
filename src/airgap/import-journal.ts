import type { Digest } from '../oci/digest.ts';
import { type FileSystem, unlessAbsent } from '../storage/file-system.ts';
import { syncFolder } from '../storage/store-folder.ts';
import type { StoreFiles } from './store-files.ts';

/**
 * Which volumes of a bundle were read to their end, so that an import that was killed, or lacked a
 * disc, goes on. Each line is appended after what it speaks of is on the disk; a last line that
 * was torn says nothing.
 */
export interface ImportJournal {
  readonly done: ReadonlySet<number>;
  /** Once all that came of the volume would survive a power cut. */
  finish(volume: number): Promise<void>;
  /** They are to be read again. */
  forget(): Promise<void>;
}

/** `snapshot` names the bundle; the journal of another one is replaced. */
export async function openImportJournal(
  { journal, root }: Pick<StoreFiles, 'journal' | 'root'>,
  snapshot: Digest,
  files: FileSystem,
): Promise<ImportJournal & { readonly isNew: boolean }> {
  const head = `import ${snapshot}\n`;
  const text = (await unlessAbsent(files.readFile(journal, 'utf8'))) ?? '';
  const isNew = !text.startsWith(head);
  const begin = async (): Promise<void> => {
    await append(journal, 'w', head, files);
    await syncFolder(root, files);
  };
  const done = new Set(isNew ? [] : readVolumes(text.slice(head.length)));
  if (isNew) await begin();
  // What was torn off might have made it another volume's line.
  else if (!text.endsWith('\n')) await append(journal, 'a', ' torn\n', files);
  return {
    isNew,
    done,
    async finish(volume) {
      await append(journal, 'a', `volume ${volume}\n`, files);
      done.add(volume);
    },
    async forget() {
      done.clear();
      await begin();
    },
  };
}

function readVolumes(text: string): readonly number[] {
  return text
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => {
      const [, number] = /^volume (\d{1,9})$/.exec(line) ?? [];
      return number === undefined ? [] : [Number(number)];
    });
}

async function append(
  journal: string,
  flags: 'a' | 'w',
  text: string,
  files: FileSystem,
): Promise<void> {
  const handle = await files.open(journal, flags, 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
