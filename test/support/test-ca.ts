import { createHash, type KeyObject } from 'node:crypto';
import type { NonEmpty } from '../../src/kernel/non-empty.ts';
import { buildCertificate, type CertificateOverrides, encodeName } from './test-certificate.ts';
import { type KeyKind, keyKindOf, type SignatureAlgorithm, testKey } from './test-keys.ts';

export type { CertificateOverrides, TestName } from './test-certificate.ts';
export { type SignatureAlgorithm, signatureAlgorithms } from './test-keys.ts';

export interface ChainOptions {
  /** Of the leaf's key; ES256 unless told. CA keys are EC-256, which are quick to make. */
  readonly algorithm?: SignatureAlgorithm;
  /** Between leaf and root; 1 unless told. */
  readonly intermediates?: 0 | 1 | 2;
  /** Names the CA: another authority has other names and keys. `acme` unless told. */
  readonly authority?: string;
  /** The leaf is its own root; `intermediates` does not count then. */
  readonly selfSigned?: boolean;
  readonly leaf?: CertificateOverrides;
  /** By distance from the leaf, 0 next to it. */
  readonly intermediate?: Readonly<Record<number, CertificateOverrides>>;
  readonly root?: CertificateOverrides;
}

export interface BuiltCertificate {
  readonly der: Uint8Array;
  readonly pem: string;
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint: string;
  readonly privateKey: KeyObject;
  /** DER of the subject. */
  readonly name: Uint8Array;
}

export interface Chain {
  /** Leaf first, root last. */
  readonly certificates: NonEmpty<BuiltCertificate>;
  readonly ders: NonEmpty<Uint8Array>;
  readonly leaf: BuiltCertificate;
  readonly root: BuiltCertificate;
  /** The leaf's. */
  readonly privateKey: KeyObject;
  readonly algorithm: SignatureAlgorithm;
  /** All PEMs, leaf first. */
  readonly pem: string;
}

/**
 * A certificate chain that keeps every rule of the Notary Project's certificate requirements but
 * those that the overrides break. It is valid from 2020 to 2049: at the tests' fixed clock (2030)
 * and at the real time that real tools go by.
 */
export function makeChain(options: ChainOptions = {}): Chain {
  const { algorithm = 'ES256', authority = 'acme' } = options;
  const links = planChain(options, authority, keyKindOf(algorithm));
  const certificates = links.map((link, index) =>
    issue(link, links[index + 1] ?? link, authority),
  ) as unknown as NonEmpty<BuiltCertificate>;
  return {
    certificates,
    ders: certificates.map(({ der }) => der) as unknown as NonEmpty<Uint8Array>,
    leaf: certificates[0],
    root: certificates.at(-1) ?? certificates[0],
    privateKey: certificates[0].privateKey,
    algorithm,
    pem: certificates.map(({ pem }) => pem).join(''),
  };
}

interface Link extends CertificateOverrides {
  readonly role: string;
  readonly subject: NonNullable<CertificateOverrides['subject']>;
  readonly key: KeyKind;
}

function planChain(options: ChainOptions, authority: string, leafKey: KeyKind): readonly Link[] {
  const { intermediates = 1, selfSigned = false } = options;
  const leaf: Link = {
    role: 'leaf',
    subject: `C=US, ST=WA, O=${authority}, CN=${authority} release`,
    key: leafKey,
    keyUsage: { bits: ['digitalSignature'] },
    extendedKeyUsage: { purposes: ['1.3.6.1.5.5.7.3.3'] },
    ...options.leaf,
  };
  if (selfSigned) return [leaf];
  const middle = Array.from({ length: intermediates }, (_, index) => ({
    ...planCa(authority, `intermediate ${index}`),
    ...options.intermediate?.[index],
  }));
  return [leaf, ...middle, { ...planCa(authority, 'root'), ...options.root }];
}

function planCa(authority: string, role: string): Link {
  return {
    role,
    subject: `C=US, ST=WA, O=${authority}, CN=${authority} ${role}`,
    key: 'EC-256',
    keyUsage: { bits: ['keyCertSign', 'cRLSign'] },
    basicConstraints: { isCa: true },
  };
}

function issue(link: Link, issuer: Link, authority: string): BuiltCertificate {
  const privateKey = testKey(link.key, `${authority}/${link.role}`);
  const issuerKey =
    link.signedBy === 'stranger'
      ? testKey('EC-256', 'stranger')
      : testKey(issuer.key, `${authority}/${issuer.role}`);
  const der = buildCertificate({ issuer: issuer.subject, ...link, privateKey, issuerKey });
  const fingerprint = createHash('sha256').update(der).digest('hex');
  return { der, pem: toPem(der), fingerprint, privateKey, name: encodeName(link.subject) };
}

export function toPem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
