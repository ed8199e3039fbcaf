import t from 'tap';
import { checkCertificateChain } from '../../../../src/formats/sigstore/certificate-chain.ts';
import { readCertificate } from '../../../../src/crypto/certificate.ts';
import { readTrustedRoot } from '../../../../src/trust/sigstore/trusted-root.ts';
import type { BundlePlan } from '../../../support/sigstore-bundle.ts';
import {
  assertSigstoreMutations,
  type SigstoreMutation,
  type SigstoreMutations,
} from '../../../support/sigstore-case.ts';
import { type ChainOptions, makeChain } from '../../../support/test-ca.ts';
import { authorityEntry, trustedRootJson } from '../../../support/trusted-root.ts';

const at = 'certificate-chain';
const untrusted = { at, reason: 'no-trusted-signer' } as const;
const expired = { at, reason: 'certificate-expired' } as const;
const of = (chain: ChainOptions): BundlePlan => ({ certificate: { chain } });
/** A root with the issuers of that very chain: what is wrong with them is what is looked at. */
const rootOf = (chain: ChainOptions, overrides: object = {}) => ({
  certificateAuthorities: [
    authorityEntry('acme', {
      certChain: {
        certificates: makeChain(chain)
          .ders.slice(1)
          .map((der) => ({ rawBytes: Buffer.from(der).toString('base64') })),
      },
      ...overrides,
    }),
  ],
});
const leaf = (overrides: ChainOptions['leaf']): ChainOptions => ({ leaf: overrides ?? {} });

/** Chains with one rule broken (the tenth of the fifteen), under a root that has their issuers. */
const faulty: Readonly<Record<string, readonly [ChainOptions, RegExp]>> = {
  'whose leaf has no purpose': [leaf({ extendedKeyUsage: 'absent' }), /extended key usage lacks/],
  'whose leaf is for servers': [
    leaf({ extendedKeyUsage: { purposes: ['1.3.6.1.5.5.7.3.1'] } }),
    /extended key usage lacks 1\.3\.6\.1\.5\.5\.7\.3\.3/,
  ],
  'whose leaf is a CA': [leaf({ basicConstraints: { isCa: true } }), /it is a CA/],
  'whose leaf may not sign': [leaf({ keyUsage: { bits: ['keyAgreement'] } }), /key usage/],
  'whose intermediate had ended': [
    { intermediate: { 0: { notAfter: '2030-01-01T00:00:00Z' } } },
    /acme intermediate 0.* is valid from .*, not at 2030-01-01T00:00:01/,
  ],
  'whose intermediate was not valid yet': [
    { intermediate: { 0: { notBefore: '2030-01-01T00:00:02Z' } } },
    /acme intermediate 0.* is valid from/,
  ],
  'whose root had ended': [
    { root: { notAfter: '2030-01-01T00:00:00Z' } },
    /acme root.* is valid from/,
  ],
  'whose intermediate is no CA': [
    { intermediate: { 0: { basicConstraints: { isCa: false } } } },
    /it is no CA/,
  ],
  'whose intermediate is for servers': [
    { intermediate: { 0: { extendedKeyUsage: { purposes: ['1.3.6.1.5.5.7.3.1'] } } } },
    /may not issue for this/,
  ],
  'whose intermediate has name constraints': [
    {
      intermediate: {
        0: {
          extensions: [{ oid: '2.5.29.30', critical: true, value: Buffer.from('3000', 'hex') }],
        },
      },
    },
    /name constraints/,
  ],
  'whose leaf another key signed': [leaf({ signedBy: 'stranger' }), /did not sign/],
};

assertSigstoreMutations(t, {
  'a certificate that had ended when the log took it in': {
    ...expired,
    plan: { entries: [{ time: '2030-01-01T00:10:01Z' }] },
    because: /is valid from 2030-01-01T00:00:00.000Z to .*, not at 2030-01-01T00:10:01/,
  },
  'a certificate that was not valid yet': {
    ...expired,
    plan: { entries: [{ time: '2029-12-31T23:59:59Z' }] },
    because: /not at 2029-12-31/,
  },
  'a certificate that is valid at one of two times': {
    ...expired,
    plan: { timestamps: [{ genTime: '20300101001001Z' }] },
    because: /not at 2030-01-01T00:10:01/,
  },
  'a certificate of another authority': {
    ...untrusted,
    plan: of({ authority: 'stranger' }),
    because: /no trusted authority issued/,
  },
  'a certificate whose root came along': {
    ...untrusted,
    plan: {
      certificate: { chain: { authority: 'stranger' } },
      bundle: (b) => {
        const { certificate, ...material } = b.verificationMaterial;
        const issuers = makeChain({ authority: 'stranger' }).ders.slice(1);
        const certificates = [
          certificate,
          ...issuers.map((der) => ({ rawBytes: Buffer.from(der).toString('base64') })),
        ];
        return {
          ...b,
          mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.2',
          verificationMaterial: { ...material, x509CertificateChain: { certificates } },
        };
      },
    },
    because: /no trusted authority issued/,
  },
  'an authority that the root did not trust yet': {
    ...untrusted,
    root: rootOf({}, { validFor: { start: '2030-01-01T00:00:02Z' } }),
    because: /fulcio.acme.test is not trusted at 2030-01-01T00:00:01/,
  },
  'an authority that the root did not trust any more': {
    ...untrusted,
    root: rootOf({}, { validFor: { start: '2021-01-01T00:00:00Z', end: '2030-01-01T00:00:00Z' } }),
    because: /is not trusted at/,
  },
  'a root without authorities': {
    ...untrusted,
    root: { certificateAuthorities: [] },
    because: /no certificate authority/,
  },
  ...Object.fromEntries(
    Object.entries(faulty).map(([what, [chain, because]]): [string, SigstoreMutation] => [
      `a certificate ${what}`,
      { ...untrusted, plan: of(chain), root: rootOf(chain), because },
    ]),
  ),
} satisfies SigstoreMutations);

t.test('without a trusted time nobody may ask', async (t) => {
  const root = readTrustedRoot(trustedRootJson());
  t.throws(
    () => checkCertificateChain([readCertificate(makeChain().leaf.der)], root, []),
    TypeError,
  );
});
