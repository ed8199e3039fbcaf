/** What RFC 9110 wants for a GET of content that is there, with at most one range. */
export interface RangeAnswer {
  readonly status: 200 | 206 | 416;
  readonly body: Uint8Array;
  /** Content-Range. */
  readonly range?: string;
}

/**
 * RFC 9110, 14.2 to 14.4 and 13.1.5, written from its text: a header in another unit or form is as
 * if absent, and so is one with several ranges, which a server need not serve.
 */
export function answerByReference(
  content: Uint8Array,
  etag: string,
  { range, 'if-range': ifRange }: { readonly range?: string; readonly 'if-range'?: string },
): RangeAnswer {
  const whole: RangeAnswer = { status: 200, body: content };
  const size = content.length;
  if (range === undefined || (ifRange !== undefined && ifRange !== etag)) return whole;
  const [unit = '', set = '', ...more] = range.split('=');
  if (unit.toLowerCase() !== 'bytes' || more.length > 0 || set.includes(',')) return whole;
  const spec = set.replaceAll(/^[ \t]+|[ \t]+$/g, '');
  const dash = spec.indexOf('-');
  const [from, to] = [spec.slice(0, Math.max(dash, 0)), spec.slice(dash + 1)];
  if (dash < 0 || !isNumberOrEmpty(from) || !isNumberOrEmpty(to)) return whole;
  if (from === '' && to === '') return whole;
  const unsatisfiable: RangeAnswer = {
    status: 416,
    body: Buffer.alloc(0),
    range: `bytes */${size}`,
  };
  // suffix-range
  if (from === '') {
    const length = Math.min(Number(to), size);
    return length === 0 ? unsatisfiable : part(content, size - length, size - 1);
  }
  // int-range: invalid where the last position is before the first.
  if (to !== '' && Number(to) < Number(from)) return whole;
  if (Number(from) >= size) return unsatisfiable;
  return part(content, Number(from), to === '' ? size - 1 : Math.min(Number(to), size - 1));
}

function part(content: Uint8Array, first: number, last: number): RangeAnswer {
  const body = content.subarray(first, last + 1);
  return { status: 206, body, range: `bytes ${first}-${last}/${content.length}` };
}

function isNumberOrEmpty(text: string): boolean {
  return !/[^0-9]/.test(text);
}
