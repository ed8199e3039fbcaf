import * as fc from 'fast-check';

type Json = fc.JsonValue;
type Parent = Record<string, Json> | Json[];

/**
 * The same document with one to four members left out, renamed, exchanged or replaced by any JSON;
 * some of them with a member written twice.
 */
export function jsonMutationsOf(json: Uint8Array): fc.Arbitrary<Uint8Array> {
  const text = Buffer.from(json).toString('utf8');
  const change = fc.record({
    at: fc.nat(2 ** 16),
    other: fc.nat(2 ** 16),
    kind: fc.constantFrom('remove', 'rename', 'replace', 'exchange', 'stretch'),
    value: fc.jsonValue({ maxDepth: 2 }),
    name: fc.constantFrom('__proto__', 'constructor', 'toString', '', 'Payload', 'crit', 'alg'),
  });
  return fc
    .tuple(fc.array(change, { minLength: 1, maxLength: 4 }), fc.boolean())
    .map(([changes, isTwice]) => {
      const root: Json[] = [JSON.parse(text) as Json];
      for (const one of changes) applyTo(root, one);
      const written = JSON.stringify(root[0] ?? null);
      const twice = isTwice ? written.replace(/"([^"]*)":/, '"$1":0,"$1":') : written;
      return Buffer.from(twice);
    });
}

interface Change {
  readonly at: number;
  readonly other: number;
  readonly kind: string;
  readonly value: Json;
  readonly name: string;
}

function applyTo(root: Json[], { at, other, kind, value, name }: Change): void {
  const places = placesIn(root);
  const place = places[at % Math.max(places.length, 1)];
  const donor = places[other % Math.max(places.length, 1)];
  if (place === undefined || donor === undefined) return;
  const { parent, key } = place;
  const was = read(parent, key);
  if (kind === 'remove') remove(parent, key);
  else if (kind === 'rename') {
    remove(parent, key);
    write(parent, Array.isArray(parent) ? '0' : name, was);
  } else if (kind === 'replace') write(parent, key, value);
  else if (kind === 'stretch' && typeof was === 'string') write(parent, key, was.repeat(50));
  else write(parent, key, structuredClone(read(donor.parent, donor.key)));
}

interface Place {
  readonly parent: Parent;
  readonly key: string;
}

function placesIn(value: Json): readonly Place[] {
  if (typeof value !== 'object' || value === null) return [];
  const parent = value as Parent;
  return Object.entries(parent).flatMap(([key, member]) => [{ parent, key }, ...placesIn(member)]);
}

function read(parent: Parent, key: string): Json {
  return (parent as Record<string, Json>)[key] ?? null;
}

function write(parent: Parent, key: string, value: Json): void {
  Object.defineProperty(parent, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

function remove(parent: Parent, key: string): void {
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete parent[key];
}
