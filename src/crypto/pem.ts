import { parseBase64 } from './base64.ts';
import { EnvelopeError } from './envelope-error.ts';

export interface PemBlock {
  /** Such as `CERTIFICATE` or `PUBLIC KEY`. */
  readonly label: string;
  readonly der: Uint8Array;
}

const begin = '-----BEGIN ';
const block = /-----BEGIN ([A-Z0-9 ]{1,40})-----(\s[A-Za-z0-9+/=\s]*)-----END \1-----/y;

export function isPem(text: string): boolean {
  return text.includes(begin);
}

/**
 * The blocks of PEM (RFC 7468; text around them is a comment), in order; none where none begins.
 * Throws `EnvelopeError` for a block that does not end or is no base64.
 */
export function readPem(text: string): readonly PemBlock[] {
  const blocks: PemBlock[] = [];
  for (let at = text.indexOf(begin); at >= 0; at = text.indexOf(begin, block.lastIndex)) {
    block.lastIndex = at;
    const match = block.exec(text);
    if (match === null) throw malformed(`has a PEM block that does not end, at byte ${at}`);
    const [, label = '', body = ''] = match;
    const der = parseBase64(body.replace(/\s+/g, ''), 'base64');
    if (der === undefined) throw malformed(`has a PEM block that is no base64, at byte ${at}`);
    blocks.push({ label, der });
  }
  return blocks;
}

function malformed(why: string): EnvelopeError {
  return new EnvelopeError('PEM_MALFORMED', why);
}
