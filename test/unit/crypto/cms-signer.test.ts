import { sign } from 'node:crypto';
import t from 'tap';
import { readCertificate } from '../../../src/crypto/certificate.ts';
import { findSignatureFault } from '../../../src/crypto/cms-signer.ts';
import { readSignedData } from '../../../src/crypto/cms.ts';
import * as asn1 from '../../support/der-encoder.ts';
import {
  hashAlgorithm,
  issuerAndSerial,
  oids,
  type TimestampOverrides,
  timestampToken,
} from '../../support/sign-timestamp.ts';
import { makeAuthority } from '../../support/test-authority.ts';
import { testKey } from '../../support/test-keys.ts';

const message = Buffer.from('hello');
const authority = makeAuthority();

function read(overrides: TimestampOverrides = {}) {
  const data = readSignedData(timestampToken(message, { authority, ...overrides }));
  const [signer] = data.signers;
  if (signer === undefined) throw new TypeError('a token has a signer');
  return { data, signer };
}

/** The fault of the signature by the authority's key, or the named one's. */
function judge(overrides: TimestampOverrides = {}, by = authority.leaf): string | undefined {
  const { data, signer } = read({ ...overrides });
  return findSignatureFault(signer, data, readCertificate(by.der));
}

t.test('a signer names its certificate, and signs attributes', async (t) => {
  const { signer } = read();
  t.equal(signer.claimedTime, undefined);
  const claimed = { [oids.signingTime]: [asn1.time('2026-01-01T00:00:00Z')] };
  t.same(read({ attributes: claimed }).signer.claimedTime, new Date('2026-01-01T00:00:00Z'));
  t.strictSame(Buffer.from(signer.id.issuer), Buffer.from(authority.certificates[1]?.name ?? []));
  t.strictSame(
    Buffer.from(signer.id.serialNumber),
    Buffer.from(readCertificate(authority.leaf.der).serialNumber),
  );
  t.strictSame(
    [...signer.signedAttributes.keys()].toSorted(),
    [oids.signingCertificateV2, oids.contentType, oids.messageDigest].toSorted(),
  );
});

const accepted: Readonly<Record<string, TimestampOverrides>> = {
  'an EC key of 256 bits': {},
  'an EC key of 384 bits': { authority: makeAuthority({ algorithm: 'ES384' }), hash: 'sha384' },
  'an EC key of 521 bits': { authority: makeAuthority({ algorithm: 'ES512' }), hash: 'sha512' },
  'an RSA key': { authority: makeAuthority({ algorithm: 'PS256' }) },
  'an RSA key under its own name': {
    authority: makeAuthority({ algorithm: 'PS384' }),
    rsa: 'key-name',
    hash: 'sha384',
  },
  'an RSA key under its own name, with SHA-512': {
    authority: makeAuthority({ algorithm: 'PS256' }),
    rsa: 'key-name',
    hash: 'sha512',
  },
  'an RSA key with PSS': { authority: makeAuthority({ algorithm: 'PS512' }), rsa: 'pss' },
};

for (const [what, overrides] of Object.entries(accepted)) {
  t.test(`a signature by ${what} is its own and nobody else's`, async (t) => {
    const own = overrides.authority ?? authority;
    t.equal(judge(overrides, own.leaf), undefined);
    const stranger = makeAuthority({ authority: 'stranger', algorithm: 'ES256' });
    t.match(judge(overrides, stranger.leaf), /does not verify with the key/);
  });
}

t.test('a signer signs up to 32 attributes', async (t) => {
  const attributeList: TimestampOverrides['attributeList'] = (list) => [
    ...list,
    ...Array.from({ length: 32 - list.length }, (_, index) =>
      attribute(`1.2.3.${index}`, asn1.nothing()),
    ),
  ];
  t.equal(read({ attributeList }).signer.signedAttributes.size, 32);
});

t.test('it is over the DER of the attributes, whatever their order in the token', async (t) => {
  const disordered: TimestampOverrides = {
    signer: (parts) => {
      const [, ...rest] = parts;
      const attributes = Buffer.from(parts[3] ?? []);
      const { signedAttributes } = read().signer;
      const encoded = [...signedAttributes].map(([type, value]) =>
        asn1.sequence(asn1.oid(type), asn1.set(value.bytes)),
      );
      const reversed = asn1.der(0xa0, ...encoded.toSorted(Buffer.compare).toReversed());
      t.notSame(reversed, attributes);
      return [parts[0] ?? attributes, ...rest].with(3, reversed);
    },
  };
  t.equal(judge(disordered), undefined);
});

t.test('a signature over the attributes in another order is none', async (t) => {
  let attributes: readonly Uint8Array[] = [];
  const disorderly: TimestampOverrides = {
    attributeList: (list) => (attributes = list),
    signature: () => {
      const backwards = attributes.toSorted(Buffer.compare).toReversed();
      return sign('sha256', asn1.der(0x31, ...backwards), authority.privateKey);
    },
  };
  t.match(judge(disorderly), /does not verify/);
  const orderly: TimestampOverrides = {
    ...disorderly,
    signature: () => sign('sha256', asn1.set(...attributes), authority.privateKey),
  };
  t.equal(judge(orderly), undefined);
});

const flip = (bytes: Uint8Array): Uint8Array => {
  const changed = Buffer.from(bytes);
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  return changed;
};

t.test('each thing that is changed has a fault of its own', async (t) => {
  t.match(judge({ signature: flip }), /does not verify/);
  t.match(judge({ signWith: testKey('EC-256', 'stranger') }), /does not verify/);
  const other = { attributes: { [oids.messageDigest]: [asn1.octets(Buffer.alloc(32))] } };
  t.match(judge(other), /its content is not the one/);
  const type = { attributes: { [oids.contentType]: [asn1.oid('1.2.3')] } };
  t.match(judge(type), /signed as of type 1.2.3, and is of 1.2.840.113549.1.9.16.1.4/);
  const none = { attributes: { [oids.contentType]: undefined } };
  t.throws(() => judge(none), { message: /the signed type is missing/ });
  const undigested = { attributes: { [oids.messageDigest]: undefined } };
  t.throws(() => judge(undigested), { message: /the signed digest is missing/ });
});

t.test('a content that is exchanged for another is not the one that was signed', async (t) => {
  const { data, signer } = read();
  const exchanged = { ...data, content: Buffer.from('something else') };
  const fault = findSignatureFault(signer, exchanged, readCertificate(authority.leaf.der));
  t.match(fault, /its content is not the one/);
});

t.test('a weak hash is refused, stated for the digest or in the algorithm', async (t) => {
  t.throws(() => judge({ hash: 'sha1' }), { code: 'ALGORITHM_UNSUPPORTED', message: /digest/ });
  const algorithm = asn1.sequence(asn1.oid('1.2.840.10045.4.1'));
  const inAlgorithm: TimestampOverrides = { signer: (parts) => parts.with(4, algorithm) };
  t.throws(() => judge(inAlgorithm), { code: 'ALGORITHM_UNSUPPORTED', message: /it is signed/ });
});

const attribute = (type: string, ...values: readonly Uint8Array[]): Uint8Array =>
  asn1.sequence(asn1.oid(type), asn1.set(...values));

const refused: Readonly<Record<string, readonly [TimestampOverrides, RegExp]>> = {
  'version 3, which names a key': [
    { signer: (parts) => parts.with(0, asn1.integer(3)) },
    /version is not 1/,
  ],
  'a signer that is named by its key': [
    { signer: (parts) => parts.with(1, asn1.implicit(0, Buffer.alloc(20))) },
    /the name of a signer is missing/,
  ],
  'a signer with a third name': [
    {
      signer: (parts) =>
        parts.with(1, asn1.sequence(authority.leaf.name, asn1.integer(1), asn1.nothing())),
    },
    /more than two parts/,
  ],
  'a signing time that is none': [
    { attributes: { [oids.signingTime]: [asn1.nothing()] } },
    /the signing time is malformed/,
  ],
  'no signed attributes': [
    { signer: (parts) => parts.toSpliced(3, 1) },
    /the list of signed attributes is missing/,
  ],
  'an attribute that stands twice': [
    { attributeList: (list) => [...list, attribute(oids.contentType, asn1.oid('1.2.3'))] },
    /stands twice/,
  ],
  'an attribute with two values': [
    { attributes: { [oids.contentType]: [asn1.oid(oids.tstInfo), asn1.oid('1.2.3')] } },
    /has not one value/,
  ],
  'an attribute with two values and more': [
    {
      attributeList: (list) => [
        ...list,
        asn1.sequence(asn1.oid('1.2.3'), asn1.set(asn1.nothing(), asn1.nothing()), asn1.nothing()),
      ],
    },
    /has not one value/,
  ],
  'an attribute without a value': [{ attributes: { [oids.contentType]: [] } }, /has not one value/],
  'more than 32 attributes': [
    {
      attributeList: (list) => [
        ...list,
        ...Array.from({ length: 30 }, (_, index) => attribute(`1.2.3.${index}`, asn1.nothing())),
      ],
    },
    /more than 32 attributes/,
  ],
  'a signature of another type': [
    { signer: (parts) => parts.with(5, asn1.bits(Buffer.alloc(64))) },
    /a signature is missing/,
  ],
  'an unknown field': [
    { signer: (parts) => [...parts, asn1.der(0xa2)] },
    /a signer has unknown fields/,
  ],
  'two lists of unsigned attributes': [
    { signer: (parts) => [...parts, asn1.der(0xa1), asn1.der(0xa1)] },
    /a signer has unknown fields/,
  ],
};

for (const [what, [overrides, message]] of Object.entries(refused)) {
  t.test(`${what} is refused`, async (t) => {
    t.throws(() => read(overrides), { code: 'CMS_MALFORMED', message });
  });
}

t.test('unsigned attributes mean nothing', async (t) => {
  const unsigned = asn1.der(0xa1, attribute('1.2.3', asn1.nothing()));
  t.equal(judge({ signer: (parts) => [...parts, unsigned] }), undefined);
});

t.test('the parts of the test tokens are where these tests change them', async (t) => {
  const { signer } = read({
    signer: (parts) => {
      t.strictSame(parts[1], issuerAndSerial(authority.leaf));
      t.strictSame(parts[2], hashAlgorithm('sha256'));
      return parts;
    },
  });
  t.equal(signer.hash, 'sha256');
});
