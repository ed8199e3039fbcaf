import { createPublicKey } from 'node:crypto';
import t from 'tap';
import {
  maxCertificateBytes,
  partsOfCertificate,
  readCertificate,
} from '../../../src/crypto/certificate.ts';
import { EnvelopeError } from '../../../src/crypto/envelope-error.ts';
import * as asn1 from '../../support/der-encoder.ts';
import { makeChain } from '../../support/test-ca.ts';
import { spkiOf, testKey } from '../../support/test-keys.ts';
import { datesAsText } from '../../support/dates-as-text.ts';

const refusal = (message: RegExp) => ({ code: 'CERTIFICATE_MALFORMED', message });

t.test('a certificate is read with all that the rules need', async (t) => {
  const chain = makeChain({ leaf: { notAfter: '2060-06-30T23:59:59Z' } });
  const leaf = readCertificate(chain.leaf.der);
  t.match(
    datesAsText(leaf),
    datesAsText({
      fingerprint: chain.leaf.fingerprint,
      subject: { text: 'CN=acme release,O=acme,ST=WA,C=US' },
      issuer: { text: 'CN=acme intermediate 0,O=acme,ST=WA,C=US' },
      notBefore: new Date('2020-01-01T00:00:00Z'),
      notAfter: new Date('2060-06-30T23:59:59Z'),
      signatureAlgorithm: '1.2.840.10045.4.3.2',
      keyUsage: { critical: true, bits: new Set(['digitalSignature']) },
      extendedKeyUsage: { critical: false, purposes: ['1.3.6.1.5.5.7.3.3'] },
      ocspUrls: [],
      crlUrls: [],
    }),
  );
  t.ok(leaf.publicKey.equals(createPublicKey(chain.privateKey)));
  t.match(leaf.keyFingerprint, /^[0-9a-f]{64}$/);
  t.not(leaf.keyFingerprint, readCertificate(chain.root.der).keyFingerprint);
  t.strictSame(Buffer.from(leaf.der), Buffer.from(chain.leaf.der));
});

t.test('the same bytes are parsed once, and kept apart from their envelope', async (t) => {
  const { der } = makeChain({ authority: 'once' }).leaf;
  const envelope = Buffer.concat([Buffer.alloc(10), der, Buffer.alloc(10)]);
  const first = readCertificate(envelope.subarray(10, 10 + der.length));
  t.equal(readCertificate(Buffer.from(der)), first);
  t.not(first.der.buffer, envelope.buffer);
  envelope.fill(0);
  t.strictSame(Buffer.from(first.der), Buffer.from(der));
});

t.test('what is remembered is bounded: the least used goes first', async (t) => {
  const kept = makeChain({ authority: 'kept' }).leaf.der;
  const gone = makeChain({ authority: 'gone' }).leaf.der;
  const [firstKept, firstGone] = [readCertificate(kept), readCertificate(gone)];
  const key = testKey('EC-256', 'many');
  for (let index = 0; index < 256; index += 1) {
    if (index % 100 === 0) readCertificate(kept);
    readCertificate(certificate({ serial: asn1.integer(index + 1), spki: spkiOf(key) }));
  }
  t.equal(readCertificate(kept), firstKept);
  t.not(readCertificate(gone), firstGone);
});

interface Fields {
  readonly version?: Uint8Array;
  readonly serial?: Uint8Array;
  readonly inner?: Uint8Array;
  readonly validity?: Uint8Array;
  readonly spki?: Uint8Array;
  readonly optional?: readonly Uint8Array[];
  readonly outer?: Uint8Array;
  readonly signature?: Uint8Array;
  readonly more?: readonly Uint8Array[];
}

const es256 = asn1.sequence(asn1.oid('1.2.840.10045.4.3.2'));
const es384 = asn1.sequence(asn1.oid('1.2.840.10045.4.3.3'));
const name = asn1.sequence(asn1.set(asn1.sequence(asn1.oid('2.5.4.3'), asn1.utf8('a'))));
const utc = (text: string): Uint8Array => asn1.der(0x17, Buffer.from(text));
const general = (text: string): Uint8Array => asn1.der(0x18, Buffer.from(text));
const validUntil = (end: Uint8Array): Uint8Array => asn1.sequence(utc('200101000000Z'), end);

/** A certificate that is well-formed but for what the fields say. */
function certificate(fields: Fields = {}): Uint8Array {
  const signed = asn1.sequence(
    fields.version ?? asn1.explicit(0, asn1.integer(2)),
    fields.serial ?? asn1.integer(1),
    fields.inner ?? es256,
    name,
    fields.validity ?? validUntil(utc('300101000000Z')),
    name,
    fields.spki ?? spkiOf(testKey('EC-256', 'fields')),
    ...(fields.optional ?? []),
  );
  const signature = fields.signature ?? asn1.bits(Buffer.from('00', 'hex'));
  return asn1.sequence(signed, fields.outer ?? es256, signature, ...(fields.more ?? []));
}

const nothing = new Uint8Array();
const extensions = asn1.explicit(3, asn1.sequence());
const compressedPoint = (): Uint8Array => {
  const spki = spkiOf(testKey('EC-256', 'fields'));
  const point = spki.subarray(-64);
  const sign = (point.at(-1) ?? 0) & 1;
  const bits = asn1.bits(Buffer.concat([Uint8Array.of(2 + sign), point.subarray(0, 32)]));
  const algorithm = asn1.sequence(asn1.oid('1.2.840.10045.2.1'), asn1.oid('1.2.840.10045.3.1.7'));
  return asn1.sequence(algorithm, bits);
};
const rsaWithoutNull = (): Uint8Array => {
  const spki = spkiOf(testKey('RSA-2048', 'fields'));
  // SEQUENCE { SEQUENCE { OID, NULL }, BIT STRING }: heads of 4 and 2 bytes, an OID of 11.
  return asn1.sequence(asn1.sequence(asn1.oid('1.2.840.113549.1.1.1')), spki.subarray(4 + 15));
};

const accepted: Readonly<Record<string, Uint8Array>> = {
  'version 1': certificate({ version: nothing }),
  'version 2': certificate({ version: asn1.explicit(0, asn1.integer(1)) }),
  'unique identifiers': certificate({
    optional: [asn1.implicit(1, Buffer.from('00aa', 'hex')), asn1.implicit(2, nothing), extensions],
  }),
  'an empty list of extensions': certificate({ optional: [extensions] }),
};

for (const [what, der] of Object.entries(accepted)) {
  t.test(`a certificate of ${what} is read`, async (t) => {
    t.equal(readCertificate(der).subject.text, 'CN=a');
  });
}

const refused: Readonly<Record<string, [der: Uint8Array, why: RegExp]>> = {
  'no bytes': [nothing, /cut off/],
  'text in PEM': [Buffer.from(makeChain().leaf.pem), /DER/],
  'bytes after its end': [Buffer.concat([certificate(), nothing, Uint8Array.of(0)]), /after the/],
  'more than 32 KiB': [new Uint8Array(maxCertificateBytes + 1), /larger than 32768 bytes/],
  'a fourth part': [certificate({ more: [asn1.nothing()] }), /three parts/],
  'a signature that is no bit string': [certificate({ signature: asn1.nothing() }), /signature/],
  'a signature of odd bits': [certificate({ signature: asn1.bits(Uint8Array.of(0), 3) }), /whole/],
  'an outer algorithm unlike the signed one': [certificate({ outer: es384 }), /two signature/],
  'an inner algorithm unlike the stated one': [certificate({ inner: es384 }), /two signature/],
  'version 4': [certificate({ version: asn1.explicit(0, asn1.integer(3)) }), /version is unknown/],
  'version 1 written out': [
    certificate({ version: asn1.explicit(0, asn1.integer(0)) }),
    /version is unknown/,
  ],
  'two versions': [
    certificate({ version: asn1.der(0xa0, asn1.integer(2), asn1.integer(2)) }),
    /version is unknown/,
  ],
  'a serial number that is text': [certificate({ serial: asn1.utf8('1') }), /serial number/],
  'a serial number in more bytes than it needs': [
    certificate({ serial: Buffer.from('02020001', 'hex') }),
    /fewest bytes/,
  ],
  'three times': [
    certificate({
      validity: asn1.sequence(...['20', '30', '40'].map((year) => utc(`${year}0101000000Z`))),
    }),
    /more than two times/,
  ],
  'one time': [certificate({ validity: asn1.sequence(utc('200101000000Z')) }), /malformed/],
  'a time that is no time': [certificate({ validity: validUntil(asn1.integer(1)) }), /malformed/],
  'a time without seconds': [
    certificate({ validity: validUntil(utc('3001010000Z')) }),
    /malformed/,
  ],
  'a time with an offset': [
    certificate({ validity: validUntil(utc('300101000000+0100')) }),
    /malformed/,
  ],
  'a time with a fraction': [
    certificate({ validity: validUntil(general('20300101000000.5Z')) }),
    /malformed/,
  ],
  '30 February': [certificate({ validity: validUntil(utc('300230000000Z')) }), /does not exist/],
  'the 13th month': [certificate({ validity: validUntil(utc('301301000000Z')) }), /not exist/],
  'the hour 24': [certificate({ validity: validUntil(utc('300101240000Z')) }), /not exist/],
  'a key that is no key': [certificate({ spki: asn1.sequence() }), /public key can't be read/],
  'a key that is no sequence': [certificate({ spki: asn1.nothing() }), /public key is missing/],
  'a point in its compressed form': [certificate({ spki: compressedPoint() }), /canonical/],
  'an RSA key without its NULL': [certificate({ spki: rsaWithoutNull() }), /canonical/],
  'an unknown field behind the key': [
    certificate({ optional: [asn1.nothing()] }),
    /unknown fields/,
  ],
  'a field [4]': [certificate({ optional: [asn1.explicit(4, asn1.sequence())] }), /unknown fields/],
  'extensions twice': [certificate({ optional: [extensions, extensions] }), /unknown fields/],
  'fields out of order': [
    certificate({ optional: [extensions, asn1.implicit(1, nothing)] }),
    /unknown fields/,
  ],
  'two lists of extensions': [
    certificate({ optional: [asn1.der(0xa3, asn1.sequence(), asn1.sequence())] }),
    /no single list/,
  ],
  'no list in the extensions': [certificate({ optional: [asn1.der(0xa3)] }), /no single list/],
};

for (const [what, [der, why]] of Object.entries(refused)) {
  t.test(`a certificate with ${what} is refused`, async (t) => {
    t.throws(() => readCertificate(der), refusal(why));
    t.throws(() => readCertificate(der), EnvelopeError);
  });
}

t.test('years of two digits are of 1950 to 2049', async (t) => {
  const endOf = (time: Uint8Array): string =>
    readCertificate(certificate({ validity: validUntil(time) })).notAfter.toISOString();
  t.equal(endOf(utc('491231235959Z')), '2049-12-31T23:59:59.000Z');
  t.equal(endOf(utc('500101000000Z')), '1950-01-01T00:00:00.000Z');
  t.equal(endOf(general('99991231235959Z')), '9999-12-31T23:59:59.000Z');
});

t.test('a certificate comes apart into what is signed, by what, and the signature', async (t) => {
  const { signed, algorithm, signature } = partsOfCertificate(certificate());
  t.equal(signed.tag, 0x30);
  t.same(algorithm.bytes, es256);
  t.same(signature, Uint8Array.of(0));
});
