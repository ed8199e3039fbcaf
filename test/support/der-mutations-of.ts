import * as fc from 'fast-check';

/** An element by itself: its identifier octet, and what it holds. */
interface Node {
  tag: number;
  content: Uint8Array | Node[];
}

const constructed = 0x20;

/**
 * The same structure with one to three elements left out, doubled, exchanged, retagged or filled
 * otherwise, and every length around them right again: what a change of bytes seldom gets through.
 * The bytes must be DER with short tags.
 */
export function derMutationsOf(der: Uint8Array): fc.Arbitrary<Uint8Array> {
  const change = fc.record({
    at: fc.nat(2 ** 16),
    other: fc.nat(2 ** 16),
    kind: fc.constantFrom('remove', 'double', 'replace', 'retag', 'fill', 'nest', 'lie'),
    tag: fc.nat(255),
    bytes: fc.uint8Array({ maxLength: 40 }),
  });
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => {
    const root: Node = { tag: constructed, content: readNodes(der) };
    let lie: ((bytes: Uint8Array) => Uint8Array) | undefined;
    for (const one of changes) {
      if (one.kind === 'lie') lie = (bytes) => withWrongLength(bytes, one.at, one.tag);
      else applyTo(root, one);
    }
    const bytes = writeContent(root);
    return lie === undefined ? bytes : lie(bytes);
  });
}

interface Change {
  readonly at: number;
  readonly other: number;
  readonly kind: string;
  readonly tag: number;
  readonly bytes: Uint8Array;
}

function applyTo(root: Node, { at, other, kind, tag, bytes }: Change): void {
  const places = placesIn(root);
  const place = places[at % Math.max(places.length, 1)];
  const source = places[other % Math.max(places.length, 1)];
  if (place === undefined || source === undefined) return;
  const { siblings, index } = place;
  const node = siblings[index] as Node;
  const donor = structuredClone(source.siblings[source.index] as Node);
  if (kind === 'remove') siblings.splice(index, 1);
  else if (kind === 'double') siblings.splice(index, 0, structuredClone(node));
  else if (kind === 'replace') siblings[index] = donor;
  else if (kind === 'retag') node.tag = tag;
  else if (kind === 'fill') node.content = bytes;
  else siblings[index] = { tag: tag | constructed, content: [node, donor] };
}

interface Place {
  readonly siblings: Node[];
  readonly index: number;
}

function placesIn({ content }: Node): readonly Place[] {
  if (content instanceof Uint8Array) return [];
  return content.flatMap((node, index) => [{ siblings: content, index }, ...placesIn(node)]);
}

function readNodes(bytes: Uint8Array): Node[] {
  const nodes: Node[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at] ?? 0;
    const first = bytes[at + 1] ?? 0;
    const count = first < 0x80 ? 0 : first & 0x7f;
    const from = at + 2 + count;
    const length =
      count === 0
        ? first
        : Number(`0x${Buffer.from(bytes.subarray(at + 2, from)).toString('hex')}`);
    const content = bytes.subarray(from, from + length);
    nodes.push({ tag, content: (tag & constructed) === 0 ? content : readNodes(content) });
    at = from + length;
  }
  return nodes;
}

function writeContent({ content }: Node): Uint8Array {
  if (content instanceof Uint8Array) return content;
  return Buffer.concat(
    content.map((node) => {
      const inner = writeContent(node);
      return Buffer.concat([Uint8Array.of(node.tag), lengthOf(inner.length), inner]);
    }),
  );
}

function lengthOf(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  const hex = length.toString(16);
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  return Buffer.concat([Uint8Array.of(0x80 | bytes.length), bytes]);
}

/** Some byte that may be a length becomes indefinite, reserved, far too long or one off. */
function withWrongLength(bytes: Uint8Array, at: number, value: number): Uint8Array {
  if (bytes.length < 2) return bytes;
  const place = 1 + (at % (bytes.length - 1));
  const huge = Buffer.concat([Uint8Array.of(0x84), Buffer.alloc(4, 0xff)]);
  const was = bytes[place] ?? 0;
  const written = [
    Uint8Array.of(0x80),
    Uint8Array.of(0xff),
    huge,
    Uint8Array.of((was + 1) & 0xff),
    Uint8Array.of((was - 1) & 0xff),
    Uint8Array.of(0x81, was),
  ][value % 6] as Uint8Array;
  return Buffer.concat([bytes.subarray(0, place), written, bytes.subarray(place + 1)]);
}
