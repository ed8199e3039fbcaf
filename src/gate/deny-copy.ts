import type { DurableFile } from '../storage/durable-file.ts';
import type { Denial } from '../verdict/denial.ts';
import { type DenialSet, mergeDenials } from './denial-set.ts';
import { fromDenial, isNewer, toDenial } from './deny-records.ts';
import type { Seal } from './sealed.ts';

/** A replica's own copy of the deny list, which outlives the state that replicas share. */
export interface DenyCopy {
  /** Where it is, for people. */
  readonly path: string;
  /** Never throws for what the file holds: a damaged copy is not an empty list. */
  read(): Promise<ReadCopy>;
  /** Resolves once it would survive a power cut. */
  write(denials: DenialSet, epoch: number): Promise<void>;
}

export type ReadCopy =
  | { readonly kind: 'absent' }
  | { readonly kind: 'damaged'; readonly cause?: unknown }
  /** A newer version has written to it what this one does not know. */
  | { readonly kind: 'newer' }
  | { readonly kind: 'whole'; readonly denials: DenialSet; readonly epoch: number };

/** Room for the longest list of the longest entries that people write. */
export const maxCopyBytes = 64 * 1024 * 1024;

const name = 'deny-list copy';

export function makeDenyCopy(file: DurableFile, seal: Seal): DenyCopy {
  return {
    path: file.path,
    async read() {
      try {
        const sealed = await file.read();
        return sealed === undefined ? { kind: 'absent' } : readSealed(sealed, seal);
      } catch (cause) {
        return { kind: 'damaged', cause };
      }
    },
    write: (denials, epoch) => {
      const kept = [...denials.values()].map(fromDenial);
      return file.write(seal.close(name, { epoch, denials: kept }));
    },
  };
}

function readSealed(sealed: Uint8Array, seal: Seal): ReadCopy {
  const opened = seal.open(name, sealed) as
    { readonly epoch: number; readonly denials: readonly unknown[] } | undefined;
  if (opened === undefined) return { kind: 'damaged' };
  const denials: Denial[] = [];
  for (const kept of opened.denials) {
    const denial = toDenial(kept);
    if (denial === undefined) return { kind: isNewer(kept) ? 'newer' : 'damaged' };
    denials.push(denial);
  }
  return { kind: 'whole', denials: mergeDenials(denials), epoch: opened.epoch };
}
