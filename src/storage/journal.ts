/**
 * What is known of partial content, one fact a line, each appended after the bytes it speaks of.
 * After a kill or a power cut its last line may be torn, and lines may speak of bytes that were
 * lost: whoever goes on with the content hashes it again and believes no more than that.
 */
export interface Journal {
  /** Of the whole content. */
  readonly size: number;
  /** The machine's start during which it was written. */
  readonly boot: string;
  readonly validator: string | undefined;
  /** Hashes of the content's beginning, of growing length. */
  readonly checkpoints: readonly Checkpoint[];
}

export interface Checkpoint {
  /** Bytes. */
  readonly length: number;
  /** In hex. */
  readonly hash: string;
}

export function renderHead(size: number, boot: string): string {
  return `content ${size} ${boot || '-'}\n`;
}

export function renderCheckpoint({ length, hash }: Checkpoint): string {
  return `hash ${length} ${hash}\n`;
}

/** Undefined for one that a line of the journal can't hold. */
export function renderValidator(validator: string): string | undefined {
  return /^[\x21-\x7e]{1,512}$/.test(validator) ? `validator ${validator}\n` : undefined;
}

/** Undefined where not even the first line can be read. */
export function parseJournal(text: string): Journal | undefined {
  const [head = '', ...rest] = text.split('\n').slice(0, -1);
  const [, size, boot = ''] = /^content (\d{1,16}) (\S+)$/.exec(head) ?? [];
  if (size === undefined) return undefined;
  const checkpoints: Checkpoint[] = [];
  let validator: string | undefined;
  for (const line of rest) {
    const [word, value = '', hash = ''] = line.split(' ');
    if (word === 'validator') validator = value;
    else if (word === 'hash') checkpoints.push({ length: Number(value), hash });
  }
  return { size: Number(size), boot: boot === '-' ? '' : boot, validator, checkpoints };
}
