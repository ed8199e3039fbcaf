import * as fc from 'fast-check';
import t from 'tap';
import { readCbor } from '../../src/crypto/cbor.ts';
import { EnvelopeError } from '../../src/crypto/envelope-error.ts';
import { type Cbor, encodeCbor } from '../support/cbor-encoder.ts';
import { holds } from '../support/holds.ts';
import { mutationsOf } from '../support/mutations-of.ts';

const limits = { maxBytes: 10_000, maxDepth: 4 };

function tryRead(bytes: Uint8Array): unknown {
  try {
    return readCbor(bytes, limits);
  } catch (error) {
    if (error instanceof EnvelopeError) return undefined;
    throw error;
  }
}

const scalar: fc.Arbitrary<Cbor> = fc.oneof(
  fc.maxSafeInteger(),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.uint8Array({ maxLength: 20 }),
  fc.boolean(),
  fc.constant(null),
);
const label = fc.oneof(fc.maxSafeInteger(), fc.string({ maxLength: 5 }));
const value: fc.Arbitrary<Cbor> = fc.letrec<{ value: Cbor }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(label, tie('value')), { maxLength: 4 }).map((pairs) => new Map(pairs)),
  ),
})).value;

t.test('whatever its bytes, CBOR is read or refused as malformed', async (t) => {
  await holds(
    t,
    'random bytes',
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      tryRead(bytes);
    }),
  );
  await holds(
    t,
    'CBOR with some bytes changed',
    fc.property(
      value.chain((each) => mutationsOf(encodeCbor(each))),
      (bytes) => {
        tryRead(bytes);
      },
    ),
  );
});

t.test('what is written canonically is read, and is written no other way', async (t) => {
  await holds(
    t,
    'reading what was written',
    fc.property(value, (each) => {
      const bytes = encodeCbor(each);
      return Buffer.compare(encodeCbor(readCbor(bytes, limits) as Cbor), bytes) === 0;
    }),
  );
  await holds(
    t,
    'writing what was read',
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
      const read = tryRead(bytes);
      if (read === undefined || holdsTag(read)) return true;
      return Buffer.compare(encodeCbor(read as Cbor), bytes) === 0;
    }),
  );
});

/** The writer for tests has its own form of tags. */
function holdsTag(read: unknown): boolean {
  if (Array.isArray(read)) return read.some(holdsTag);
  if (read instanceof Map) return [...read.values()].some(holdsTag);
  return typeof read === 'object' && read !== null && 'tag' in read;
}
