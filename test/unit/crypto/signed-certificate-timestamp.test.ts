import { createPublicKey } from 'node:crypto';
import t from 'tap';
import { readCertificate } from '../../../src/crypto/certificate.ts';
import {
  isEmbeddedTimestampOf,
  readEmbeddedTimestamps,
  readSignedCertificateTimestamp,
} from '../../../src/crypto/signed-certificate-timestamp.ts';
import type { Certificate } from '../../../src/crypto/x509.ts';
import * as asn1 from '../../support/der-encoder.ts';
import {
  ctLogId,
  ctLogKey,
  fulcioExtensions,
  type SctPlan,
  sctExtension,
  signSct,
  sized,
} from '../../support/fulcio-certificate.ts';
import { makeChain } from '../../support/test-ca.ts';
import { buildCertificate, type TestExtension } from '../../support/test-certificate.ts';
import { spkiOf, testKey } from '../../support/test-keys.ts';

const issuerKey = testKey('EC-256', 'acme/intermediate 0');
const log = { id: ctLogId(), publicKey: createPublicKey(ctLogKey()) };
const issuer = readCertificate(makeChain().ders[1] ?? new Uint8Array());

/** A leaf of the chain's issuer; its serial number does not follow from its extensions. */
function leafWith(...extensions: readonly TestExtension[]): Uint8Array {
  return buildCertificate({
    subject: 'CN=leaf',
    issuer: 'C=US, ST=WA, O=acme, CN=acme intermediate 0',
    serial: Uint8Array.of(7),
    privateKey: testKey('EC-256', 'acme/leaf'),
    issuerKey,
    extensions: [...fulcioExtensions(), ...extensions],
  });
}

function embed(plan: SctPlan = {}): Certificate {
  const sct = signSct(leafWith(), spkiOf(issuerKey), plan);
  return readCertificate(leafWith(sctExtension([sct])));
}

function isEmbedded(certificate: Certificate, by = issuer, key = log): boolean {
  const [timestamp] = readEmbeddedTimestamps(certificate);
  return timestamp !== undefined && isEmbeddedTimestampOf(timestamp, certificate, by, key);
}

t.test('a timestamp in a certificate is of the certificate without it', async (t) => {
  const certificate = embed();
  const [timestamp] = readEmbeddedTimestamps(certificate);
  t.match(timestamp, {
    time: new Date('2030-01-01T00:00:00Z'),
    algorithm: { scheme: 'ecdsa', hash: 'sha256' },
  });
  t.ok(isEmbedded(certificate));
});

t.test('it covers the extensions that the log wrote into it', async (t) => {
  t.ok(isEmbedded(embed({ logExtensions: Buffer.from('00000500000dde14', 'hex') })));
});

t.test('several are read in order', async (t) => {
  const scts = ['a', 'b'].map((name) => signSct(leafWith(), spkiOf(issuerKey), { log: name }));
  const read = readEmbeddedTimestamps(readCertificate(leafWith(sctExtension(scts))));
  t.same(
    read.map(({ logId }) => Buffer.from(logId)),
    [ctLogId('a'), ctLogId('b')],
  );
});

t.test('a certificate without timestamps has none', async (t) => {
  t.same(readEmbeddedTimestamps(readCertificate(leafWith())), []);
});

t.test('a timestamp of another certificate, issuer, time or log is none', async (t) => {
  const sct = signSct(leafWith(), spkiOf(issuerKey));
  const other = { oid: '1.2.3', value: asn1.nothing() };
  t.notOk(isEmbedded(readCertificate(leafWith(other, sctExtension([sct])))), 'another certificate');
  t.notOk(
    isEmbedded(embed({ issuerSpki: spkiOf(testKey('EC-256', 'stranger')) })),
    'another issuer',
  );
  t.notOk(isEmbedded(embed({ detached: true })), 'of the other kind');
  t.notOk(isEmbedded(embed({ log: 'stranger' })), 'another log');
  const forged = { ...log, id: ctLogId('stranger') };
  t.notOk(isEmbedded(embed({ log: 'stranger' }), issuer, forged), 'its id with our key');
  const later = Buffer.from(sct);
  later[40] = (later[40] ?? 0) ^ 1;
  t.notOk(isEmbedded(readCertificate(leafWith(sctExtension([later])))), 'another time');
});

const good = signSct(leafWith(), spkiOf(issuerKey));
const broken: Readonly<Record<string, Buffer>> = {
  'another version': signSct(leafWith(), spkiOf(issuerKey), { version: 1 }),
  'SHA-1': signSct(leafWith(), spkiOf(issuerKey), { algorithm: [2, 3] }),
  'an anonymous signature': signSct(leafWith(), spkiOf(issuerKey), { algorithm: [4, 0] }),
  'bytes behind it': Buffer.concat([good, Uint8Array.of(0)]),
  'its end cut off': good.subarray(0, -1),
  'a time that does not exist': Buffer.concat([
    good.subarray(0, 33),
    Buffer.alloc(8, 0xff),
    good.subarray(41),
  ]),
  nothing: Buffer.alloc(0),
};

for (const [what, sct] of Object.entries(broken)) {
  t.test(`a timestamp with ${what} is refused`, async (t) => {
    const malformed = { code: 'LOG_MALFORMED', message: /^not a signed certificate timestamp: / };
    t.throws(() => readSignedCertificateTimestamp(sct), malformed);
    t.throws(
      () => readEmbeddedTimestamps(readCertificate(leafWith(sctExtension([sct])))),
      malformed,
    );
  });
}

const lists: Readonly<Record<string, Uint8Array>> = {
  'no timestamp': asn1.octets(sized(Buffer.alloc(0), 2)),
  'bytes behind it': asn1.octets(Buffer.concat([sized(sized(good, 2), 2), Uint8Array.of(0)])),
  'another type': asn1.utf8('x'),
  '33 timestamps': sctExtension(Array.from({ length: 33 }, () => good)).value,
};

for (const [what, value] of Object.entries(lists)) {
  t.test(`a list of timestamps with ${what} is refused`, async (t) => {
    const certificate = readCertificate(leafWith({ oid: '1.3.6.1.4.1.11129.2.4.2', value }));
    t.throws(() => readEmbeddedTimestamps(certificate), { code: /_MALFORMED$/ });
  });
}
