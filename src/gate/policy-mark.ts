import { messageOf } from '../kernel/tagged-error.ts';
import type { DurableFile } from '../storage/durable-file.ts';
import type { KeyValue } from '../storage/key-value.ts';
import type { Seal } from './sealed.ts';

/** Which revisions of the trust policy may be in force: what all replicas know of it together. */
export interface PolicyMark {
  /** Grows each time that somebody permits an older revision. */
  readonly turn: number;
  /** The lowest revision that may come into force. */
  readonly floor: number;
  /** The highest that ever was. Above `floor` only after somebody permitted an older one. */
  readonly ceiling: number;
  readonly setBack?: SetBack;
}

/** Who permitted an older revision, and why. */
export interface SetBack {
  readonly owner: string;
  readonly reason: string;
  readonly at: Date;
}

/** Of a policy that says none: older than any that does. */
export const unrevised = -1;

export const noMark: PolicyMark = { turn: 0, floor: unrevised, ceiling: unrevised };

/** What knows more: any rule does that is the same everywhere, and that no replay can turn round. */
export function laterMark(one: PolicyMark, other: PolicyMark): PolicyMark {
  const order =
    other.turn - one.turn || other.ceiling - one.ceiling || other.floor - one.floor || 0;
  return order > 0 ? other : one;
}

/** After a policy of this revision came into force. */
export function markWith(mark: PolicyMark, revision: number): PolicyMark {
  if (revision <= mark.ceiling) return mark;
  return { turn: mark.turn, floor: revision, ceiling: revision };
}

/** Permits everything from `floor` up to what was in force; a higher one ends that. */
export function setBackTo(mark: PolicyMark, floor: number, setBack: SetBack): PolicyMark {
  return { turn: mark.turn + 1, floor, ceiling: mark.ceiling, setBack };
}

export function isSameMark(one: PolicyMark, other: PolicyMark): boolean {
  return one.turn === other.turn && one.floor === other.floor && one.ceiling === other.ceiling;
}

export type ReadMark =
  | { readonly kind: 'absent' }
  | { readonly kind: 'whole'; readonly mark: PolicyMark }
  /** Its seal does not fit, or its file can't be read. */
  | { readonly kind: 'damaged'; readonly because: string }
  /** A version to come wrote it, and means by it what this one does not know. */
  | { readonly kind: 'newer' };

/** Where a mark is kept: in the shared state, and in a file of this replica that outlives it. */
export interface MarkPlace {
  /** What throws is that nobody can say. */
  read(): Promise<ReadMark>;
  write(mark: PolicyMark): Promise<void>;
}

const name = 'policy-mark';
const version = 1;
export const maxMarkBytes = 16 * 1024;

export function makeSharedMark(store: KeyValue, seal: Seal): MarkPlace {
  return {
    async read() {
      const sealed = await store.get(name);
      return sealed === undefined ? { kind: 'absent' } : openMark(sealed, seal);
    },
    write: (mark) => store.put(name, closeMark(mark, seal)),
  };
}

export function makeKeptMark(file: DurableFile, seal: Seal): MarkPlace {
  return {
    async read() {
      try {
        const sealed = await file.read();
        return sealed === undefined ? { kind: 'absent' } : openMark(sealed, seal);
      } catch (error) {
        return { kind: 'damaged', because: messageOf(error) };
      }
    },
    write: (mark) => file.write(closeMark(mark, seal)),
  };
}

function closeMark(mark: PolicyMark, seal: Seal): Uint8Array {
  return seal.close(name, { version, mark });
}

function openMark(sealed: Uint8Array, seal: Seal): ReadMark {
  const opened = seal.open(name, sealed) as
    { readonly version: unknown; readonly mark: PolicyMark } | undefined;
  if (opened === undefined) return { kind: 'damaged', because: 'its seal does not fit' };
  return opened.version === version ? { kind: 'whole', mark: opened.mark } : { kind: 'newer' };
}
