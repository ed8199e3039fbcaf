import { createHash } from 'node:crypto';
import t from 'tap';
import { readTstInfo } from '../../../src/crypto/tst-info.ts';
import * as asn1 from '../../support/der-encoder.ts';
import { hashAlgorithm, type TimestampOverrides, tstInfo } from '../../support/sign-timestamp.ts';
import { datesAsText } from '../../support/dates-as-text.ts';

const message = Buffer.from('hello');
const read = (overrides: TimestampOverrides = {}) => readTstInfo(tstInfo(message, overrides));

const plain = tstInfo(message);
const small = (tag: number, value: number): Uint8Array => asn1.der(tag, Uint8Array.of(value));
/** With these parts behind the time. */
const ending = (...parts: readonly Uint8Array[]): TimestampOverrides => ({
  accuracy: 'absent',
  info: (before) => [...before, ...parts],
});
/** With another part in that place. */
const having = (place: number, part: Uint8Array): TimestampOverrides => ({
  info: (parts) => parts.with(place, part),
});
const extension = (critical: boolean): Uint8Array =>
  asn1.sequence(
    asn1.oid('1.2.3'),
    ...(critical ? [asn1.boolean(true)] : []),
    asn1.octets(asn1.nothing()),
  );

t.test('it says which bytes existed at which time', async (t) => {
  const info = readTstInfo(plain);
  t.match(
    datesAsText(info),
    datesAsText({
      policy: '1.2.3.4',
      genTime: new Date('2026-01-01T00:00:00Z'),
      genTimeNanoseconds: 0,
      accuracyMicroseconds: 1_000_000,
      nonce: undefined,
    }),
  );
  t.equal(info.imprint.hash, 'sha256');
  t.strictSame(info.imprint.digest, createHash('sha256').update(message).digest());
  t.strictSame([...info.serialNumber], [7]);
  for (const imprintHash of ['sha384', 'sha512'] as const) {
    t.equal(read({ imprintHash }).imprint.hash, imprintHash);
  }
});

t.test('a time may have a fraction of up to nine digits', async (t) => {
  const times = {
    '20260101000000.5Z': ['2026-01-01T00:00:00.500Z', 0],
    '20260101000000.884Z': ['2026-01-01T00:00:00.884Z', 0],
    '20260101000000.000001Z': ['2026-01-01T00:00:00.000Z', 1000],
    '20260101000000.123456789Z': ['2026-01-01T00:00:00.123Z', 456_789],
  } as const;
  for (const [genTime, [whole, below]] of Object.entries(times)) {
    const info = read({ genTime });
    t.equal(info.genTime.toISOString(), whole);
    t.equal(info.genTimeNanoseconds, below);
  }
});

t.test('a time in any other notation is refused', async (t) => {
  for (const genTime of [
    '20260101000000',
    '20260101000000+0100',
    '202601010000Z',
    '20260101000000.Z',
    '20260101000000.50Z',
    '20260101000000.0Z',
    '20260101000000,5Z',
    '20260101000000.1234567891Z',
    ' 20260101000000Z',
  ]) {
    t.throws(() => read({ genTime }), {
      code: 'TIMESTAMP_MALFORMED',
      message: /the time is malformed/,
    });
  }
  for (const genTime of ['20260230000000Z', '20260101000060Z', '20260101240000Z']) {
    t.throws(() => read({ genTime }), { message: /the time does not exist/ });
  }
});

t.test('an accuracy has seconds, milliseconds and microseconds, each if need be', async (t) => {
  const accuracyOf = (...parts: readonly Uint8Array[]): number | undefined =>
    read({ accuracy: asn1.sequence(...parts) }).accuracyMicroseconds;
  t.equal(accuracyOf(asn1.integer(2), small(0x80, 3), small(0x81, 4)), 2_003_004);
  t.equal(accuracyOf(asn1.der(0x80, Uint8Array.of(1, 0xf4))), 500_000);
  t.equal(accuracyOf(small(0x81, 5)), 5);
  t.equal(accuracyOf(), undefined, 'one of nothing is none');
  t.equal(accuracyOf(asn1.integer(0)), undefined);
  t.equal(read({ accuracy: 'absent' }).accuracyMicroseconds, undefined);
});

t.test('what may follow is read in its order', async (t) => {
  const all = ending(
    asn1.sequence(asn1.integer(1)),
    asn1.boolean(true),
    asn1.integer(99),
    asn1.explicit(0, asn1.implicit(2, Buffer.from('clock.example'))),
    asn1.der(0xa1, extension(false)),
  );
  const info = read(all);
  t.equal(info.accuracyMicroseconds, 1_000_000);
  t.strictSame([...(info.nonce ?? [])], [99]);
  t.doesNotThrow(() => read(ending(asn1.boolean(false))));
});

t.test('a serial number has up to 64 bytes', async (t) => {
  const longest = new Uint8Array(64).fill(1);
  t.strictSame(
    Buffer.from(read(having(3, asn1.integer(longest))).serialNumber),
    Buffer.from(longest),
  );
});

const refused: Readonly<Record<string, readonly [TimestampOverrides, RegExp]>> = {
  'version 2': [having(0, asn1.integer(2)), /its version is not 1/],
  'version 0': [having(0, asn1.integer(0)), /its version is not 1/],
  'a version that is none': [having(0, asn1.nothing()), /the version is missing/],
  'a policy that is none': [having(1, asn1.nothing()), /the policy is missing/],
  'an imprint that is none': [having(2, asn1.nothing()), /the imprint is missing/],
  'an imprint without its digest': [
    having(2, asn1.sequence(hashAlgorithm('sha256'))),
    /the imprint's digest is missing/,
  ],
  'an imprint with more': [
    having(2, asn1.sequence(hashAlgorithm('sha256'), asn1.octets(message), asn1.nothing())),
    /more than two parts/,
  ],
  'a serial number that is none': [having(3, asn1.nothing()), /the serial number is missing/],
  'a serial number that is longer than need be': [
    having(3, asn1.integer(Uint8Array.of(0, 1))),
    /the serial number is no INTEGER/,
  ],
  'a serial number without end': [
    having(3, asn1.integer(new Uint8Array(65).fill(1))),
    /the serial number is longer than 64/,
  ],
  'a time of another type': [having(4, asn1.time('2026-01-01T00:00:00Z')), /the time is missing/],
  'no time': [{ info: (parts) => parts.slice(0, 4) }, /the time is missing/],
  'an accuracy of another type': [ending(asn1.set(asn1.integer(1))), /unknown fields/],
  'an accuracy out of order': [
    ending(asn1.sequence(small(0x81, 1), small(0x80, 1))),
    /the accuracy has unknown parts/,
  ],
  'an accuracy that is stated twice': [
    ending(asn1.sequence(asn1.integer(1), asn1.integer(1))),
    /the accuracy has unknown parts/,
  ],
  'a negative accuracy': [
    ending(asn1.sequence(asn1.integer(Uint8Array.of(0xff)))),
    /the accuracy is not from 0/,
  ],
  '1000 milliseconds': [
    ending(asn1.sequence(asn1.der(0x80, Uint8Array.of(3, 0xe8)))),
    /the accuracy is not from 0 to 999/,
  ],
  'an accuracy of centuries': [
    ending(asn1.sequence(asn1.integer(2 ** 31 + 1))),
    /the accuracy is not from 0/,
  ],
  'fields out of order': [ending(asn1.integer(1), asn1.boolean(true)), /out of order/],
  'a field twice': [ending(asn1.integer(1), asn1.integer(1)), /out of order/],
  'an unknown field': [ending(asn1.explicit(2, asn1.nothing())), /unknown fields/],
  'a critical extension': [
    ending(asn1.der(0xa1, extension(true))),
    /its extension 1.2.3 is critical and not known/,
  ],
  'an extension that is none': [ending(asn1.der(0xa1, asn1.nothing())), /an extension is missing/],
};

for (const [what, [overrides, message]] of Object.entries(refused)) {
  t.test(`${what} is refused`, async (t) => {
    t.throws(() => read(overrides), { code: 'TIMESTAMP_MALFORMED', message });
  });
}

t.test('an imprint by SHA-1 is refused for its algorithm', async (t) => {
  t.throws(() => read({ imprintHash: 'sha1' }), { code: 'ALGORITHM_UNSUPPORTED' });
});

t.test('bytes after the end are refused', async (t) => {
  const more = Buffer.concat([plain, new Uint8Array(1)]);
  t.throws(() => readTstInfo(more), { code: 'TIMESTAMP_MALFORMED', message: /after the end/ });
});
