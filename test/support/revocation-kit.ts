import { readCertificate } from '../../src/crypto/certificate.ts';
import type { Certificate } from '../../src/crypto/x509.ts';
import { type BuiltCertificate, type CertificateOverrides, makeChain } from './test-ca.ts';

/** A leaf, whoever issued it, and others that the same authority issued. */
export interface RevocationCase {
  readonly leaf: BuiltCertificate;
  readonly issuer: BuiltCertificate;
  readonly root: BuiltCertificate;
  /** As our own reader gives them: leaf, issuer, root. */
  readonly read: readonly [Certificate, Certificate, Certificate];
}

export function makeRevocationCase(
  leaf: CertificateOverrides = {},
  intermediate: CertificateOverrides = {},
): RevocationCase {
  const chain = makeChain({ leaf, intermediate: { 0: intermediate } });
  const [, issuer = chain.root] = chain.certificates;
  const { root } = chain;
  const [first, second, third] = [chain.leaf, issuer, root].map(({ der }) => readCertificate(der));
  if (first === undefined || second === undefined || third === undefined) throw new TypeError();
  return { leaf: chain.leaf, issuer, root, read: [first, second, third] };
}

export const ocspSigning = '1.3.6.1.5.5.7.3.9';

/** Another certificate of the same issuer, for answering in its place. */
export function makeDelegate(overrides: CertificateOverrides = {}): BuiltCertificate {
  return makeRevocationCase({
    subject: 'C=US, O=acme, CN=acme responder',
    extendedKeyUsage: { purposes: [ocspSigning] },
    ...overrides,
  }).leaf;
}

/** An authority of the same name that nobody knows. */
export function makeStranger(): BuiltCertificate {
  return makeChain({
    authority: 'stranger',
    intermediate: { 0: { subject: 'C=US, ST=WA, O=acme, CN=acme intermediate 0' } },
  }).certificates[1] as BuiltCertificate;
}
