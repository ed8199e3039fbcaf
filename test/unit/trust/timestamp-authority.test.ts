import t from 'tap';
import { readCertificate } from '../../../src/crypto/certificate.ts';
import { readTimestampToken } from '../../../src/crypto/timestamp-token.ts';
import {
  type TimestampRoot,
  trustedTimeOf,
  trustTimestampAuthority,
} from '../../../src/trust/timestamp-authority.ts';
import * as asn1 from '../../support/der-encoder.ts';
import { oids, type TimestampOverrides, timestampToken } from '../../support/sign-timestamp.ts';
import { makeAuthority, timeStamping } from '../../support/test-authority.ts';
import type { Chain, ChainOptions } from '../../support/test-ca.ts';

interface Question extends TimestampOverrides {
  readonly authority?: Chain;
  readonly roots?: readonly TimestampRoot[];
  readonly known?: readonly Uint8Array[];
}

function ask({ roots, known, authority = makeAuthority(), ...overrides }: Question = {}) {
  const made = timestampToken(Buffer.from('hello'), { authority, ...overrides });
  return trustTimestampAuthority({
    token: readTimestampToken(made),
    signer: readCertificate(authority.leaf.der),
    roots: roots ?? [{ certificate: readCertificate(authority.root.der) }],
    ...(known !== undefined && { known: known.map(readCertificate) }),
  });
}

const made = (options: ChainOptions): Question => ({ authority: makeAuthority(options) });

t.test(
  'an authority is trusted from its key to the root, at the time that it states',
  async (t) => {
    const authority = makeAuthority();
    const answer = ask({ authority });
    if (answer.kind !== 'trusted') throw new TypeError(answer.because);
    t.strictSame(
      answer.chain.map(({ fingerprint }) => fingerprint),
      authority.certificates.map(({ fingerprint }) => fingerprint),
    );
    t.strictSame(answer.time, {
      earliest: new Date('2025-12-31T23:59:59Z'),
      latest: new Date('2026-01-01T00:00:01Z'),
    });
  },
);

const trusted: Readonly<Record<string, Question>> = {
  'with no intermediate': made({ intermediates: 0 }),
  'with two intermediates': made({ intermediates: 2 }),
  'with an RSA key': made({ algorithm: 'PS256' }),
  'whose root is not in the token': {
    certificates: makeAuthority().ders.slice(0, -1),
  },
  'whose certificates are in another order': { certificates: makeAuthority().ders.toReversed() },
  'whose certificates are among many': {
    certificates: [
      ...makeAuthority({ authority: 'stranger' }).ders,
      ...makeAuthority({ intermediate: { 0: { signedBy: 'stranger' } } }).ders,
      ...makeAuthority().ders,
    ],
  },
  'whose issuers are known otherwise': {
    certificates: [],
    known: makeAuthority().ders.slice(1),
  },
  'whose key usage is not critical': made({
    leaf: { keyUsage: { bits: ['digitalSignature'], critical: false } },
    intermediate: { 0: { keyUsage: { bits: ['keyCertSign'], critical: false } } },
  }),
  'whose issuer is for time stamping too': made({
    intermediate: { 0: { extendedKeyUsage: { purposes: ['1.2.3', timeStamping] } } },
  }),
  'whose issuer is for everything': made({
    intermediate: { 0: { extendedKeyUsage: { purposes: ['2.5.29.37.0'] } } },
  }),
  'that says the same time beside the token': {
    attributes: { [oids.signingTime]: [asn1.time('2026-01-01T00:00:00Z')] },
  },
  'that expired since': made({
    leaf: { notAfter: '2026-01-01T00:00:00Z' },
    intermediate: { 0: { notAfter: '2026-01-01T00:00:00Z' } },
    root: { notAfter: '2026-01-01T00:00:00Z' },
  }),
  'that began in that second': made({ leaf: { notBefore: '2026-01-01T00:00:00Z' } }),
};

for (const [what, question] of Object.entries(trusted)) {
  t.test(`an authority ${what} is trusted`, async (t) => {
    t.match(ask(question), { kind: 'trusted' });
  });
}

const eku = (purposes: readonly string[], critical = true): Question =>
  made({ leaf: { extendedKeyUsage: { purposes, critical } } });
const anchor = makeAuthority().root.der;

const untrusted: Readonly<Record<string, readonly [Question, RegExp]>> = {
  'without roots': [{ roots: [] }, /no trusted authority issued/],
  'under another root': [
    { roots: [{ certificate: readCertificate(makeAuthority({ authority: 'b' }).root.der) }] },
    /no trusted authority issued/,
  ],
  'under a root of the same name': [
    {
      roots: [
        {
          certificate: readCertificate(
            makeAuthority({ root: { signedBy: 'stranger', key: 'EC-384' } }).root.der,
          ),
        },
      ],
    },
    /did not sign/,
  ],
  'without its issuer': [
    { certificates: [makeAuthority().leaf.der, anchor] },
    /no trusted authority issued/,
  ],
  'without extended key usage': [
    made({ leaf: { extendedKeyUsage: 'absent' } }),
    /it has no extended key usage/,
  ],
  'whose extended key usage is not critical': [
    eku([timeStamping], false),
    /extended key usage is not critical/,
  ],
  'for signing code': [eku(['1.3.6.1.5.5.7.3.3']), /is not timeStamping alone/],
  'for any purpose': [eku(['2.5.29.37.0']), /is not timeStamping alone/],
  'for time stamping and another purpose': [
    eku([timeStamping, '1.3.6.1.5.5.7.3.3']),
    /is not timeStamping alone/,
  ],
  'for another purpose and time stamping': [
    eku(['1.3.6.1.5.5.7.3.3', timeStamping]),
    /is not timeStamping alone/,
  ],
  'that is a CA': [made({ leaf: { basicConstraints: { isCa: true } } }), /it is a CA/],
  'without key usage': [made({ leaf: { keyUsage: 'absent' } }), /it has no key usage/],
  'that may not sign': [
    made({ leaf: { keyUsage: { bits: ['contentCommitment'] } } }),
    /lacks digitalSignature/,
  ],
  'that may encipher keys': [
    made({ leaf: { keyUsage: { bits: ['digitalSignature', 'keyEncipherment'] } } }),
    /key usage has keyEncipherment/,
  ],
  'with a key that signs no artifacts': [
    made({ leaf: { key: 'EC-secp256k1' } }),
    /no signature algorithm is allowed for a key of type ec secp256k1/,
  ],
  'with a small RSA key': [
    made({ leaf: { key: 'RSA-1024' } }),
    /no signature algorithm is allowed/,
  ],
  'that another key signed': [made({ leaf: { signedBy: 'stranger' } }), /did not sign/],
  'signed with SHA-1': [made({ leaf: { hash: 'sha1' } }), /not accepted/],
  'whose issuer is signed with SHA-1': [
    made({ intermediate: { 0: { hash: 'sha1' } } }),
    /not accepted/,
  ],
  'whose issuer another key signed': [
    made({ intermediate: { 0: { signedBy: 'stranger' } } }),
    /did not sign/,
  ],
  'whose issuer is no CA': [
    made({ intermediate: { 0: { basicConstraints: { isCa: false } } } }),
    /it is no CA/,
  ],
  'whose issuer may not sign certificates': [
    made({ intermediate: { 0: { keyUsage: { bits: ['cRLSign'] } } } }),
    /lacks keyCertSign/,
  ],
  'whose issuer is for other purposes': [
    made({ intermediate: { 0: { extendedKeyUsage: { purposes: ['1.3.6.1.5.5.7.3.3'] } } } }),
    /extended key usage lacks 1.3.6.1.5.5.7.3.8/,
  ],
  'whose root allows no CA below it': [
    made({ root: { basicConstraints: { isCa: true, pathLength: 0 } } }),
    /path length is 0 and 1 CAs are below/,
  ],
  'that expired a second before': [
    made({ leaf: { notAfter: '2025-12-31T23:59:59Z' } }),
    /not at 2026-01-01T00:00:00.000Z/,
  ],
  'that began a second after': [
    made({ leaf: { notBefore: '2026-01-01T00:00:01Z' } }),
    /not at 2026-01-01T00:00:00.000Z/,
  ],
  'that says a time beside the token at which it was not valid': [
    {
      ...made({ leaf: { notBefore: '2025-12-31T00:00:00Z' } }),
      attributes: { [oids.signingTime]: [asn1.time('2025-12-30T00:00:00Z')] },
    },
    /not at 2025-12-30T00:00:00.000Z/,
  ],
  'whose issuer was not valid yet': [
    made({ intermediate: { 0: { notBefore: '2026-01-01T00:00:01Z' } } }),
    /intermediate.* is valid from 2026-01-01T00:00:01.000Z/,
  ],
  'whose root was not valid any more': [
    made({ root: { notAfter: '2025-12-31T23:59:59Z' } }),
    /root.* is valid from/,
  ],
};

for (const [what, [question, because]] of Object.entries(untrusted)) {
  t.test(`an authority ${what} is not trusted`, async (t) => {
    t.match(ask(question), { kind: 'untrusted', because });
  });
}

t.test('rules are those of the signer, whatever else is in the bag', async (t) => {
  // CVE-2026-39984: a good certificate first, and the signer one that may not stamp times.
  const signer = makeAuthority({ leaf: { extendedKeyUsage: { purposes: ['1.3.6.1.5.5.7.3.3'] } } });
  const certificates = [makeAuthority().leaf.der, ...signer.ders];
  t.match(ask({ authority: signer, certificates }), {
    kind: 'untrusted',
    because: /extended key usage is not critical/,
  });
});

t.test('a root counts within its own time, both ends included', async (t) => {
  const certificate = readCertificate(anchor);
  const at = (iso: string): Date => new Date(iso);
  const genTime = at('2026-01-01T00:00:00Z');
  const counts = (window: Omit<TimestampRoot, 'certificate'>): boolean =>
    ask({ roots: [{ certificate, ...window }] }).kind === 'trusted';
  t.ok(counts({ validFrom: genTime, validUntil: genTime }));
  t.ok(counts({ validFrom: at('2025-01-01T00:00:00Z') }));
  t.ok(counts({ validUntil: at('2027-01-01T00:00:00Z') }));
  t.notOk(counts({ validFrom: at('2026-01-01T00:00:00.001Z') }));
  t.notOk(counts({ validUntil: at('2025-12-31T23:59:59.999Z') }));
});

t.test('the trusted time is as wide as the accuracy, rounded outwards', async (t) => {
  const range = (overrides: TimestampOverrides): readonly string[] => {
    const { info } = readTimestampToken(timestampToken(Buffer.from('hello'), overrides));
    const { earliest, latest } = trustedTimeOf(info);
    return [earliest, latest].map((time) => time.toISOString().slice(17, -1));
  };
  const noon = '20260101120030Z';
  const baseline = '0.4.0.2023.1.1';
  const part = (tag: number, value: number): Uint8Array => asn1.der(tag, Uint8Array.of(value));
  const half = asn1.sequence(asn1.der(0x80, Uint8Array.of(1, 0xf4)));
  const absent = { genTime: noon, accuracy: 'absent' } as const;
  t.strictSame(range({ genTime: noon }), ['29.000', '31.000']);
  t.strictSame(range({ genTime: noon, accuracy: half }), ['29.500', '30.500']);
  t.strictSame(range(absent), ['30.000', '30.000'], 'none is stated or promised');
  t.strictSame(range({ ...absent, policy: baseline }), ['29.000', '31.000'], 'one is promised');
  t.strictSame(range({ genTime: noon, accuracy: half, policy: baseline }), ['29.500', '30.500']);
  t.strictSame(range({ genTime: noon, accuracy: asn1.sequence(), policy: baseline }), [
    '29.000',
    '31.000',
  ]);
  const micro = asn1.sequence(part(0x81, 1));
  t.strictSame(range({ genTime: noon, accuracy: micro }), ['29.999', '30.001']);
  const fine = '20260101120030.0000001Z';
  t.strictSame(range({ genTime: fine, accuracy: 'absent' }), ['30.000', '30.001']);
  t.strictSame(range({ genTime: '20260101120030.884Z', accuracy: half }), ['30.384', '31.384']);
});
