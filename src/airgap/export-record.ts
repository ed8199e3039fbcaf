import { join } from 'node:path';
import { quoted } from '../kernel/quoted.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Digest } from '../oci/digest.ts';
import { type DurableFile, makeDurableFile } from '../storage/durable-file.ts';
import { StorageError } from '../storage/storage-error.ts';
import { AirgapError } from './airgap-error.ts';
import type { BundleDocument, Sequence, Volume } from './bundle.ts';
import { writeFailure } from './file-failure.ts';

/** What is known of a bundle that was finished, for those that come after it. */
export interface ExportRecord {
  readonly stream: string;
  readonly sequence: Sequence;
  readonly kind: BundleDocument['kind'];
  /** RFC 3339. */
  readonly created: string;
  /** SHA-256 of its snapshot metadata: the next one names it. */
  readonly snapshot: Digest;
  /** Every tag that the stream ever had, by `UPSTREAM/PATH:TAG`. */
  readonly tags: Readonly<Record<string, TagRecord>>;
  /** What was exported, as `UPSTREAM/PATH@DIGEST`. */
  readonly roots: readonly string[];
  /** Everything that whoever has imported it has, carried or assumed; of a revocation bundle none. */
  readonly held: readonly Digest[];
}

export interface TagRecord {
  readonly digest: Digest;
  /** Grows each time the tag is pointed elsewhere. */
  readonly version: number;
  /** Where it pointed before, the last first. */
  readonly before: readonly Digest[];
}

/** A bundle that is being written, so that the same command goes on after a kill. */
export interface OpenExport {
  /** Stands in the folder too. */
  readonly id: string;
  /** Where it is written. */
  readonly folder: string;
  readonly sequence: Sequence;
  readonly planDigest: string;
  readonly volumes: readonly Volume[];
  /** All but what metadata tell. From here on they may be written: its number is nobody else's. */
  readonly record: Omit<ExportRecord, 'snapshot'> | undefined;
}

/** What an exporter knows of its stream, in a folder. Sealed: whoever alters it is found out. */
export interface ExportLedger {
  /** The highest sequence number that any bundle has, or had that was never finished. */
  lastSequence(): Promise<Sequence>;
  /** Takes a number: no other bundle gets it, unless it is certain that this one was not signed. */
  reserve(sequence: Sequence): Promise<void>;
  /** Throws `AirgapError`, SEQUENCE_UNKNOWN, where there is none. */
  record(sequence: Sequence): Promise<ExportRecord>;
  /** Of the last bundle that was finished. */
  latest(): Promise<ExportRecord | undefined>;
  keep(record: ExportRecord): Promise<void>;
  open(): Promise<OpenExport | undefined>;
  setOpen(open: OpenExport | undefined): Promise<void>;
}

/** As the gate's: what was closed under a name opens under that name alone. */
export interface RecordSeal {
  close(name: string, value: unknown): Uint8Array;
  open(name: string, sealed: Uint8Array): unknown;
}

/** Room for the digests of three million manifests and blobs. Bytes. */
const maxRecordBytes = 256 * 1024 * 1024;

interface Counter {
  readonly reserved: Sequence;
  readonly finished: Sequence | undefined;
}

/** `folder` exists, and is the stream's own. Methods throw `AirgapError`. */
export function makeExportLedger(folder: string, stream: string, seal: RecordSeal): ExportLedger {
  const entry = <T>(name: string) => makeEntry<T>(join(folder, name), `${stream} ${name}`, seal);
  const counter = entry<Counter>('counter');
  const opened = entry<OpenExport | null>('open');
  const count = async (): Promise<Counter> =>
    (await counter.read()) ?? { reserved: 0, finished: undefined };
  const record = async (sequence: Sequence): Promise<ExportRecord> => {
    const found = await entry<ExportRecord>(`bundle-${sequence}`).read();
    if (found !== undefined) return found;
    const { reserved } = await count();
    const last = reserved === 0 ? 'none was made' : `the last one was ${reserved}`;
    const message =
      `what bundle ${sequence} of stream ${quoted(stream)} held is not known in ${folder}, where` +
      ` ${last}: name another one, or export in full`;
    throw new AirgapError('SEQUENCE_UNKNOWN', message);
  };
  return {
    lastSequence: async () => (await count()).reserved,
    async reserve(sequence) {
      const { reserved, finished } = await count();
      if (sequence <= reserved) throw new TypeError(`sequence ${sequence} is taken`);
      await counter.write({ reserved: sequence, finished });
    },
    record,
    async latest() {
      const { finished } = await count();
      return finished === undefined ? undefined : await record(finished);
    },
    async keep(kept) {
      await entry<ExportRecord>(`bundle-${kept.sequence}`).write(kept);
      const { reserved } = await count();
      await counter.write({ reserved, finished: kept.sequence });
    },
    open: async () => (await opened.read()) ?? undefined,
    setOpen: (open) => opened.write(open ?? null),
  };
}

function makeEntry<T>(path: string, name: string, seal: RecordSeal) {
  const file: DurableFile = makeDurableFile(path, maxRecordBytes);
  return {
    async read(): Promise<T | undefined> {
      const sealed = await file.read().catch((cause: unknown) => {
        throw new AirgapError('READ_FAILED', messageOf(cause), { cause });
      });
      if (sealed === undefined) return undefined;
      const opened = seal.open(name, sealed);
      if (opened !== undefined) return opened as T;
      const message = `${path} does not open: it was altered, or state.keys are others`;
      throw new AirgapError('RECORD_DAMAGED', message);
    },
    async write(value: T): Promise<void> {
      try {
        await file.write(seal.close(name, value));
      } catch (cause) {
        throw writeFailure(path, cause instanceof StorageError ? cause.cause : cause);
      }
    },
  };
}
