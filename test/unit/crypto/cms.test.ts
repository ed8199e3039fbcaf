import t from 'tap';
import { maxSignedDataBytes, readSignedData } from '../../../src/crypto/cms.ts';
import * as asn1 from '../../support/der-encoder.ts';
import {
  indefinite,
  oids,
  type TimestampOverrides,
  timestampToken,
  tstInfo,
} from '../../support/sign-timestamp.ts';
import { makeAuthority } from '../../support/test-authority.ts';

const message = Buffer.from('hello');
const authority = makeAuthority();
const read = (overrides: TimestampOverrides = {}) =>
  readSignedData(timestampToken(message, { authority, ...overrides }));
const having = (place: number, part: Uint8Array): TimestampOverrides => ({
  data: (parts) => parts.with(place, part),
});
const place = { version: 0, hashes: 1, content: 2, certificates: 3, signers: 4 } as const;

for (const encoding of ['der', 'ber'] as const) {
  t.test(`in ${encoding}, it has a content, certificates and signers`, async (t) => {
    const data = read({ encoding });
    t.equal(data.contentType, oids.tstInfo);
    t.strictSame(Buffer.from(data.content), Buffer.from(tstInfo(message)));
    t.strictSame(
      data.certificates.map(({ fingerprint }) => fingerprint),
      authority.certificates.map(({ fingerprint }) => fingerprint),
    );
    t.equal(data.signers.length, 1);
  });
}

t.test('the certificates may be left out, and lists of revoked ones stand beside', async (t) => {
  t.strictSame(read({ certificates: 'absent' }).certificates, []);
  const lists = asn1.der(0xa1, asn1.sequence());
  const beside: TimestampOverrides = { data: (parts) => parts.toSpliced(place.signers, 0, lists) };
  t.equal(read(beside).certificates.length, 3);
  t.strictSame(
    read({ ...beside, certificates: 'absent', data: (parts) => parts.toSpliced(3, 0, lists) })
      .certificates,
    [],
  );
});

const refused: Readonly<Record<string, readonly [TimestampOverrides, RegExp]>> = {
  'version 1': [having(place.version, asn1.integer(1)), /its version is not 3/],
  'version 4': [having(place.version, asn1.integer(4)), /its version is not 3/],
  'a list of hashes that is none': [
    having(place.hashes, asn1.sequence()),
    /the list of digest algorithms is missing/,
  ],
  'a content that is none': [having(place.content, asn1.set()), /the signed content is missing/],
  'a content that is elsewhere': [
    having(place.content, asn1.sequence(asn1.oid(oids.tstInfo))),
    /the signed content is missing/,
  ],
  'a content of another type than octets': [
    having(place.content, asn1.sequence(asn1.oid(oids.tstInfo), asn1.explicit(0, asn1.nothing()))),
    /the signed content is missing or of another type/,
  ],
  'a content with more': [
    having(
      place.content,
      asn1.sequence(asn1.oid(oids.tstInfo), asn1.explicit(0, asn1.octets(message)), asn1.nothing()),
    ),
    /the signed content has too many parts/,
  ],
  'two contents': [
    having(
      place.content,
      asn1.sequence(
        asn1.oid(oids.tstInfo),
        asn1.der(0xa0, asn1.octets(message), asn1.octets(message)),
      ),
    ),
    /the signed content has too many parts/,
  ],
  'no signers': [{ data: (parts) => parts.slice(0, -1) }, /the list of signers is missing/],
  'more than 4 signers': [
    { signers: (one) => Array.from({ length: 5 }, () => one) },
    /more than 4 signers/,
  ],
  'a certificate that is none': [
    { certificates: [asn1.sequence(asn1.integer(1))] },
    /the certificate has not three parts/,
  ],
  'a certificate of another kind': [
    { certificates: [asn1.der(0xa1, asn1.nothing())] },
    /a certificate is missing or of another type/,
  ],
  'more than 16 certificates': [
    { certificates: Array.from({ length: 17 }, () => authority.leaf.der) },
    /more than 16 certificates/,
  ],
  'certificates behind the lists': [
    {
      data: (parts) =>
        parts
          .with(place.certificates, asn1.der(0xa1))
          .toSpliced(place.signers, 0, asn1.der(0xa0, authority.leaf.der)),
    },
    /unknown fields/,
  ],
  'two lists of certificates': [
    { data: (parts) => parts.toSpliced(place.signers, 0, asn1.der(0xa0)) },
    /unknown fields/,
  ],
  'an unknown field': [
    { data: (parts) => parts.toSpliced(place.signers, 0, asn1.der(0xa2)) },
    /unknown fields/,
  ],
};

for (const [what, [overrides, message]] of Object.entries(refused)) {
  t.test(`${what} is refused`, async (t) => {
    t.throws(() => read(overrides), { code: 'CMS_MALFORMED', message });
  });
}

t.test('as many certificates and signers as may be are read', async (t) => {
  const certificates = Array.from({ length: 16 }, () => authority.leaf.der);
  t.equal(read({ certificates }).certificates.length, 16);
  t.equal(read({ signers: (one) => Array.from({ length: 4 }, () => one) }).signers.length, 4);
});

t.test('what holds it is a ContentInfo of signed data, and nothing more', async (t) => {
  const signedData = asn1.oid(oids.signedData);
  const wrong: readonly (readonly [Uint8Array, RegExp])[] = [
    [
      asn1.sequence(asn1.oid('1.2.840.113549.1.7.1'), asn1.explicit(0, asn1.nothing())),
      /of type 1.2.840.113549.1.7.1/,
    ],
    [asn1.sequence(signedData), /the content of ContentInfo is missing/],
    [asn1.sequence(signedData, asn1.explicit(0, asn1.nothing())), /SignedData is missing/],
    [
      asn1.sequence(signedData, asn1.der(0xa0, asn1.sequence(), asn1.sequence())),
      /ContentInfo has too many parts/,
    ],
    [
      asn1.sequence(signedData, asn1.explicit(0, asn1.sequence()), asn1.nothing()),
      /ContentInfo has too many parts/,
    ],
    [asn1.set(), /ContentInfo is missing/],
    [indefinite(0x30), /the type of ContentInfo is missing/],
    [new Uint8Array(), /cut off/],
    [new Uint8Array(maxSignedDataBytes + 1), /larger than 65536 bytes/],
  ];
  for (const [bytes, message] of wrong) {
    t.throws(() => readSignedData(bytes), { code: 'CMS_MALFORMED', message });
  }
});
