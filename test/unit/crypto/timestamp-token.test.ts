import t from 'tap';
import {
  isTimestampOf,
  readTimestampResponse,
  readTimestampToken,
} from '../../../src/crypto/timestamp-token.ts';
import * as asn1 from '../../support/der-encoder.ts';
import {
  indefinite,
  oids,
  type TimestampOverrides,
  timestampResponse,
  timestampToken,
} from '../../support/sign-timestamp.ts';

const message = Buffer.from('hello');
const make = (overrides: TimestampOverrides = {}): Uint8Array => timestampToken(message, overrides);

t.test('a token is about the bytes that it was made for, and no others', async (t) => {
  for (const overrides of [
    {},
    { encoding: 'ber' },
    { imprintHash: 'sha384' },
    { imprintHash: 'sha512', hash: 'sha384' },
  ] as const) {
    const token = readTimestampToken(make(overrides));
    t.ok(isTimestampOf(token, message));
    t.notOk(isTimestampOf(token, Buffer.from('hullo')));
    t.equal(token.info.genTime.toISOString(), '2026-01-01T00:00:00.000Z');
    t.equal(token.certificateId.hash, 'sha256');
  }
});

const code = 'TIMESTAMP_MALFORMED';
const refused: Readonly<Record<string, readonly [TimestampOverrides, RegExp]>> = {
  'content of another type': [
    { contentType: '1.2.840.113549.1.7.1' },
    /about content of type 1.2.840.113549.1.7.1/,
  ],
  'no signature': [{ signers: () => [] }, /it has 0 signatures, and must have one/],
  'two signatures': [{ signers: (one) => [one, one] }, /it has 2 signatures, and must have one/],
  'a malformed container': [
    { data: (parts) => parts.with(0, asn1.integer(1)) },
    /not CMS SignedData: its version is not 3/,
  ],
  'a malformed content': [
    { info: (parts) => parts.with(0, asn1.integer(2)) },
    /not a TSTInfo: its version is not 1/,
  ],
  'no name of the certificate': [
    { attributes: { [oids.signingCertificateV2]: undefined } },
    /no signing-certificate-v2/,
  ],
};

for (const [what, [overrides, because]] of Object.entries(refused)) {
  t.test(`a token with ${what} is refused`, async (t) => {
    const token = make(overrides);
    t.throws(() => readTimestampToken(token), { code, message: because });
    t.throws(() => readTimestampResponse(timestampResponse(token)), { code, message: because });
  });
}

t.test('a weak hash is refused for its algorithm', async (t) => {
  for (const overrides of [
    { imprintHash: 'sha1' },
    { hash: 'sha1' },
    { ess: { hash: 'sha1' } },
  ] as const) {
    t.throws(() => readTimestampToken(make(overrides)), { code: 'ALGORITHM_UNSUPPORTED' });
  }
});

t.test('an answer is unwrapped where the authority granted it', async (t) => {
  for (const status of [0, 1]) {
    t.ok(isTimestampOf(readTimestampResponse(timestampResponse(make(), status)), message));
  }
  const ber = indefinite(0x30, asn1.sequence(asn1.integer(0)), make({ encoding: 'ber' }));
  t.ok(isTimestampOf(readTimestampResponse(ber), message));
});

t.test('an answer that grants nothing, or more than a token, is refused', async (t) => {
  const status = asn1.sequence(asn1.integer(0));
  const wrong: readonly (readonly [Uint8Array, RegExp])[] = [
    [timestampResponse(undefined, 2), /did not grant it \(status 2\)/],
    [timestampResponse(make(), 2), /did not grant it \(status 2\)/],
    [timestampResponse(undefined), /the token is missing/],
    [asn1.sequence(status, make(), asn1.nothing()), /more than two parts/],
    [asn1.sequence(asn1.sequence(), make()), /the status is missing/],
    [asn1.sequence(), /the status is missing/],
    [make(), /the status is missing/],
  ];
  for (const [bytes, because] of wrong) {
    t.throws(() => readTimestampResponse(bytes), { code, message: because });
  }
  t.throws(() => readTimestampToken(timestampResponse(make())), { code }, 'a token is not wrapped');
});
