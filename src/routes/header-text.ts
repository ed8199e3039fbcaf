import { maxWarningBytes } from './limits.ts';

/** Text for headers, reason phrases and terminals: printable ASCII alone, at most `maxLength`. */
export function toPrintable(text: string, maxLength = 1000): string {
  const printable = text.replace(/[^\x20-\x7e]+/g, '?');
  return printable.length > maxLength ? `${printable.slice(0, maxLength - 3)}...` : printable;
}

const noWarnings: readonly string[] = [];

/**
 * The values of `Warning` headers (distribution-spec, Warnings: code 299, agent `-`). What does
 * not fit into the bytes allowed is left out, last first.
 */
export function toWarnings(texts: readonly string[]): readonly string[] {
  if (texts.length === 0) return noWarnings;
  const values: string[] = [];
  let bytesLeft = maxWarningBytes;
  for (const text of texts) {
    const value = `299 - "${toPrintable(text).replace(/["\\]/g, '\\$&')}"`;
    bytesLeft -= value.length;
    if (bytesLeft < 0) break;
    values.push(value);
  }
  return values;
}
