import { constants, createPublicKey, type KeyObject, sign, X509Certificate } from 'node:crypto';
import t from 'tap';
import { isAuthoritySignedBy, isSignedBy } from '../../../src/crypto/certificate-signature.ts';
import { readCertificate } from '../../../src/crypto/certificate.ts';
import type { Certificate } from '../../../src/crypto/x509.ts';
import * as asn1 from '../../support/der-encoder.ts';
import {
  buildCertificate,
  type CertificateHash,
  encodeName,
} from '../../support/test-certificate.ts';
import { type KeyKind, spkiOf, testKey } from '../../support/test-keys.ts';

const subject = 'CN=a';

function selfSigned(kind: KeyKind, hash: CertificateHash = 'sha256'): Certificate {
  const privateKey = testKey(kind, 'issuer');
  const plan = { subject, issuer: subject, privateKey, issuerKey: privateKey, hash };
  return readCertificate(buildCertificate(plan));
}

function strangerTo(kind: KeyKind): Certificate {
  const privateKey = testKey(kind, 'stranger');
  return readCertificate(
    buildCertificate({ subject, issuer: subject, privateKey, issuerKey: privateKey }),
  );
}

const accepted: readonly (readonly [KeyKind, CertificateHash])[] = [
  ['RSA-2048', 'sha256'],
  ['RSA-3072', 'sha384'],
  ['RSA-4096', 'sha512'],
  ['EC-256', 'sha256'],
  ['EC-384', 'sha384'],
  ['EC-521', 'sha512'],
  ['EC-256', 'sha512'],
  ['Ed25519', 'sha256'],
];

for (const [kind, hash] of accepted) {
  t.test(`a signature by ${kind} with ${hash} is the issuer's and nobody else's`, async (t) => {
    const certificate = selfSigned(kind, hash);
    t.ok(isSignedBy(certificate, certificate));
    // RSA test keys are the same whatever their name, so a stranger to one is of another size.
    const strangers = ['EC-256', 'Ed25519', kind === 'RSA-2048' ? 'RSA-3072' : 'RSA-2048'] as const;
    for (const stranger of strangers) {
      t.notOk(isSignedBy(certificate, strangerTo(stranger)), stranger);
    }
  });
}

t.test('a certificate whose signed part was changed is not signed', async (t) => {
  const issuer = selfSigned('EC-256');
  const der = Buffer.from(issuer.der);
  const at = der.indexOf(Buffer.from('200101000000Z'));
  der.write('21', at);
  const changed = readCertificate(der);
  t.equal(changed.notBefore.toISOString(), '2021-01-01T00:00:00.000Z');
  t.notOk(isSignedBy(changed, issuer));
});

for (const kind of ['RSA-2048', 'EC-256'] as const) {
  t.test(`a SHA-1 signature by ${kind}, which node accepts, is refused`, async (t) => {
    const certificate = selfSigned(kind, 'sha1');
    const x509 = new X509Certificate(certificate.der);
    t.ok(x509.verify(x509.publicKey), 'node accepts it');
    const refusal = { code: 'ALGORITHM_UNSUPPORTED', message: /1[.]2[.]840.*not accepted/ };
    t.throws(() => isSignedBy(certificate, certificate), refusal);
  });
}

t.test("an issuer's RSA key of 1024 bits is refused", async (t) => {
  const certificate = selfSigned('RSA-1024');
  const refusal = { code: 'ALGORITHM_UNSUPPORTED', message: /1024 bits/ };
  t.throws(() => isSignedBy(certificate, certificate), refusal);
});

interface PssPlan {
  readonly hash: 'sha1' | 'sha256' | 'sha384' | 'sha512';
  readonly saltLength: number;
  readonly mask?: PssPlan['hash'];
  readonly parameters?: 'null' | 'absent';
  readonly stated?: number;
}

const hashOids = {
  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
} as const;

/** A self-signed certificate with an RSASSA-PSS signature (RFC 4055, 3.1). */
function pssCertificate(plan: PssPlan): Certificate {
  const { hash, saltLength, mask = hash, parameters = 'null', stated = saltLength } = plan;
  const key = testKey('RSA-2048', 'pss');
  const hashOf = (name: PssPlan['hash']): Uint8Array =>
    asn1.sequence(asn1.oid(hashOids[name]), ...(parameters === 'null' ? [asn1.nothing()] : []));
  const algorithm = asn1.sequence(
    asn1.oid('1.2.840.113549.1.1.10'),
    asn1.sequence(
      asn1.explicit(0, hashOf(hash)),
      asn1.explicit(1, asn1.sequence(asn1.oid('1.2.840.113549.1.1.8'), hashOf(mask))),
      asn1.explicit(2, asn1.integer(stated)),
    ),
  );
  return readCertificate(
    signWith(algorithm, key, (signed) => {
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      return sign(hash, signed, { key, padding, saltLength });
    }),
  );
}

function signWith(
  algorithm: Uint8Array,
  key: KeyObject,
  signer: (signed: Uint8Array) => Uint8Array,
): Uint8Array {
  const signed = asn1.sequence(
    asn1.explicit(0, asn1.integer(2)),
    asn1.integer(1),
    algorithm,
    encodeName(subject),
    asn1.sequence(asn1.time('2020-01-01T00:00:00Z'), asn1.time('2049-01-01T00:00:00Z')),
    encodeName(subject),
    spkiOf(key),
  );
  return asn1.sequence(signed, algorithm, asn1.bits(signer(signed)));
}

const pssAccepted: readonly PssPlan[] = [
  { hash: 'sha256', saltLength: 32 },
  { hash: 'sha384', saltLength: 48 },
  { hash: 'sha512', saltLength: 64 },
  { hash: 'sha256', saltLength: 32, parameters: 'absent' },
];

for (const plan of pssAccepted) {
  const { hash, parameters = 'null' } = plan;
  t.test(`an RSASSA-PSS signature with ${hash} (${parameters}) is the issuer's`, async (t) => {
    const certificate = pssCertificate(plan);
    t.ok(isSignedBy(certificate, certificate));
    t.notOk(isSignedBy(certificate, selfSigned('RSA-3072', 'sha384')));
  });
}

const pssRefused: Readonly<Record<string, PssPlan>> = {
  'SHA-1': { hash: 'sha1', saltLength: 20 },
  'another hash for its mask': { hash: 'sha256', saltLength: 32, mask: 'sha1' },
  'a salt of another length': { hash: 'sha256', saltLength: 20 },
};

for (const [what, plan] of Object.entries(pssRefused)) {
  t.test(`an RSASSA-PSS signature with ${what} is refused`, async (t) => {
    const certificate = pssCertificate(plan);
    const refusal = { code: 'ALGORITHM_UNSUPPORTED', message: /PSS parameters/ };
    t.throws(() => isSignedBy(certificate, certificate), refusal);
  });
}

t.test('an RSASSA-PSS salt of another length than stated does not hold', async (t) => {
  const certificate = pssCertificate({ hash: 'sha256', saltLength: 20, stated: 32 });
  t.notOk(isSignedBy(certificate, certificate));
});

t.test('RSASSA-PSS without parameters, which mean SHA-1, is refused', async (t) => {
  const key = testKey('RSA-2048', 'pss');
  const algorithm = asn1.sequence(asn1.oid('1.2.840.113549.1.1.10'));
  const certificate = readCertificate(signWith(algorithm, key, (s) => sign('sha256', s, key)));
  t.throws(() => isSignedBy(certificate, certificate), { code: 'ALGORITHM_UNSUPPORTED' });
});

t.test(
  "an issuer's RSA key with the exponent 1, with which everybody signs, is refused",
  async (t) => {
    const certificate = selfSigned('RSA-2048');
    const { n = '' } = certificate.publicKey.export({ format: 'jwk' });
    const publicKey = createPublicKey({ key: { kty: 'RSA', n, e: 'AQ' }, format: 'jwk' });
    const refusal = { code: 'ALGORITHM_UNSUPPORTED' };
    t.throws(() => isSignedBy(certificate, { ...certificate, publicKey }), refusal);
  },
);

t.test('what is remembered of an authority is told of the same issuer alone', async (t) => {
  const issuer = selfSigned('EC-256');
  const stranger = strangerTo('EC-256');
  for (const time of ['first', 'second']) {
    t.ok(isAuthoritySignedBy(issuer, issuer), time);
    t.notOk(isAuthoritySignedBy(issuer, stranger), time);
    t.notOk(isAuthoritySignedBy(stranger, issuer), time);
  }
});

t.test('an authority that is signed by a weak key is refused each time', async (t) => {
  const weak = selfSigned('RSA-1024');
  for (const _ of ['first', 'second']) {
    t.throws(() => isAuthoritySignedBy(weak, weak), { code: 'ALGORITHM_UNSUPPORTED' });
  }
});
