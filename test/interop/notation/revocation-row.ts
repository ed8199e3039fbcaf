import { systemClock } from '../../../src/kernel/clock.ts';
import { makeDelegate, makeStranger } from '../../support/revocation-kit.ts';
import type { NotationOverrides } from '../../support/sign-notation.ts';
import type { BuiltCertificate, CertificateOverrides } from '../../support/test-ca.ts';
import { buildCrl, type CrlOptions } from '../../support/test-crl.ts';
import { buildOcsp, type OcspAnswerOptions, type OcspOptions } from '../../support/test-ocsp.ts';
import type { Case, CaseOptions } from './case.ts';

/** What is served about a certificate, and what notation makes of it. */
export interface RevocationRow {
  /** By path under the certificate's own; `ocsp` and `crl` are those that it names unless told. */
  readonly serves: Readonly<Record<string, (of: Issued) => Uint8Array>>;
  /** Paths that the leaf names. */
  readonly ocsp?: readonly string[];
  readonly crl?: readonly string[];
  /** The intermediate names them in place of the leaf. */
  readonly of?: 'intermediate';
  readonly notation: Case['notation'];
  readonly options?: CaseOptions;
  readonly sign?: NotationOverrides;
  readonly leaf?: CertificateOverrides;
}

export type RevocationRows = Readonly<Record<string, RevocationRow>>;

/** A certificate that may be revoked, its issuer, and where its own paths are. */
export interface Issued {
  readonly certificate: BuiltCertificate;
  readonly issuer: BuiltCertificate;
  readonly url: string;
}

/** Days from now, as both sides go by the real time. */
export function inDays(days: number): string {
  return new Date(systemClock.now().getTime() + days * 86_400_000).toISOString();
}

export type OcspChanges = Partial<OcspOptions> & { readonly answer?: Partial<OcspAnswerOptions> };

/** An answer of the issuer, good from yesterday for a week, but for the changes. */
export function ocspOf(
  { certificate, issuer }: Issued,
  { answer, ...changes }: OcspChanges = {},
): Uint8Array {
  const times = { thisUpdate: inDays(-1), nextUpdate: inDays(6) };
  return buildOcsp({
    issuer,
    producedAt: inDays(-1),
    answers: [{ certificate, ...times, ...answer }],
    ...changes,
  });
}

/** A list of the issuer that lists nobody, but for the changes. */
export function crlOf({ issuer }: Issued, changes: Partial<CrlOptions> = {}): Uint8Array {
  return buildCrl({ issuer, thisUpdate: inDays(-1), nextUpdate: inDays(6), ...changes });
}

export const permissive: CaseOptions = {
  policy: { signatureVerification: { level: 'permissive' } },
};
export const delegate = makeDelegate();
export const stranger = makeStranger();
