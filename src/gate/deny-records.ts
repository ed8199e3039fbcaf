import { randomHex } from '../kernel/clock.ts';
import type { KeyValue } from '../storage/key-value.ts';
import type { Denial } from '../verdict/denial.ts';
import { type DenialSet, maxDenials } from './denial-set.ts';
import type { Seal } from './sealed.ts';

/**
 * The deny list in the state that replicas share: one sealed entry a denial, so that two who add
 * at the same time lose nothing, and a mark that is another one after each change.
 */
export interface DenyRecords {
  /** The mark's bytes, to compare; undefined: there is none. Throws what the store throws. */
  mark(): Promise<Uint8Array | undefined>;
  /** The epoch in a mark; undefined unless its seal fits. */
  epochIn(mark: Uint8Array): number | undefined;
  /** Names of the entries, to compare: they say what is there and not that it is whole. */
  ids(): Promise<ReadonlySet<string>>;
  read(): Promise<ReadRecords>;
  write(denial: Denial): Promise<void>;
  forget(id: string): Promise<void>;
  writeMark(epoch: number): Promise<Uint8Array>;
}

export interface ReadRecords {
  readonly denials: DenialSet;
  /** Entries whose seal does not fit: anybody may have put them there. */
  readonly unreadable: readonly string[];
  /** Entries of ours that a newer version wrote: what they deny is not known here. */
  readonly newer: readonly string[];
}

const markName = 'deny-epoch';
const prefix = 'deny/';
/** What strangers put there is not to fill the memory. */
const maxRead = maxDenials * 2;
const version = 1;

export function makeDenyRecords(store: KeyValue, seal: Seal): DenyRecords {
  return {
    mark: () => store.get(markName),
    epochIn(mark) {
      const opened = seal.open(markName, mark) as { readonly epoch?: unknown } | undefined;
      return typeof opened?.epoch === 'number' ? opened.epoch : undefined;
    },
    async ids() {
      const names = await store.keys(prefix, maxRead);
      return new Set(names.map((name) => name.slice(prefix.length)));
    },
    async read() {
      const denials = new Map<string, Denial>();
      const unreadable: string[] = [];
      const newer: string[] = [];
      for (const { key, value } of await store.entries(prefix, maxRead)) {
        const opened = seal.open(key, value);
        const denial = toDenial(opened);
        if (denial !== undefined) denials.set(denial.id, denial);
        else (isNewer(opened) ? newer : unreadable).push(key);
      }
      return { denials, unreadable, newer };
    },
    write: (denial) => {
      const name = `${prefix}${denial.id}`;
      return store.put(name, seal.close(name, fromDenial(denial)));
    },
    forget: (id) => store.delete(`${prefix}${id}`),
    async writeMark(epoch) {
      // Two who reach the same epoch at the same time leave different marks.
      const mark = seal.close(markName, { epoch, nonce: randomHex(8) });
      await store.put(markName, mark);
      return mark;
    },
  };
}

/** As it is kept, in the state and in a replica's own copy. */
export function fromDenial(denial: Denial): unknown {
  return { version, denial };
}

/**
 * Whether a newer version sealed it, and means by it what this one does not know. A version that can
 * say what it denies in the words of this one writes it so: all of them are to understand it.
 */
export function isNewer(opened: unknown): boolean {
  const kept = opened as { readonly version?: unknown } | undefined;
  return typeof kept?.version === 'number' && kept.version > version;
}

/** What was sealed is ours; what a newer version sealed may deny what this one knows nothing of. */
export function toDenial(opened: unknown): Denial | undefined {
  const kept = opened as { readonly version: unknown; readonly denial: Denial } | undefined;
  return kept?.version === version ? kept.denial : undefined;
}
