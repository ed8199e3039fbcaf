/** Range headers of every form for content of some size: those that the RFC's grammar allows. */
export function validRanges(size: number): readonly string[] {
  const positions = [
    0,
    1,
    99,
    65_535,
    65_536,
    Math.floor(size / 2),
    size - 65_537,
    size - 2,
    size - 1,
  ];
  const inside = positions.filter((at) => at >= 0 && at < size);
  const forms = [
    ...inside.map((at) => `bytes=${at}-`),
    ...inside.map((at) => `bytes=${at}-${at}`),
    ...inside.map((at) => `bytes=0-${at}`),
    ...inside.map((at) => `bytes=${at}-${size + 10}`),
    ...[1, 2, 65_536, 65_537, size - 1, size, size + 1, 10 * size].map((last) => `bytes=-${last}`),
    `bytes=${Math.floor(size / 3)}-${Math.floor(size / 2)}`,
    `bytes=0-${'9'.repeat(15)}`,
  ];
  return [...new Set(forms)];
}

/** Those that no byte of the content is in. */
export function unsatisfiableRanges(size: number): readonly string[] {
  return [`bytes=${size}-`, `bytes=${size}-${size + 1}`, `bytes=${size + 1}-`, 'bytes=-0'];
}

/** Several at once, which a server may leave aside. */
export function severalRanges(size: number): readonly string[] {
  return ['bytes=0-0,5-9', `bytes=0-99, ${size - 100}-`, 'bytes=-1,-2', 'bytes=0-,0-,0-'];
}

/** No ranges in bytes by the grammar. */
export const invalidRanges: readonly string[] = [
  'bytes=',
  'bytes=-',
  'bytes=5-2',
  'bytes=a-b',
  'bytes=1-2-3',
  'bytes=--5',
  'bytes=0x0-0x9',
  'bytes=+0-9',
  'bytes=1.5-9',
  'bytes 0-9',
  'bytes=0-9=',
  'items=0-9',
  '0-9',
];
