import type { Case } from './case.ts';
import { chainCase, type ChainRow as Row } from './chain-case.ts';

const authority = { scheme: 'notary.x509.signingAuthority' } as const;

const times: readonly Row[] = [
  [
    'that expired after the authority signed',
    { leaf: { notAfter: '2026-03-01T00:00:00Z' } },
    'accepts',
    { also: authority },
  ],
  [
    'that expired in the second the authority signed',
    { leaf: { notAfter: '2026-01-01T00:00:00Z' } },
    'accepts',
    { also: authority },
  ],
  [
    'that expired a second before the authority signed',
    { leaf: { notAfter: '2025-12-31T23:59:59Z' } },
    /authentic/i,
    { also: authority },
  ],
  [
    'that began in the second the authority signed',
    { leaf: { notBefore: '2026-01-01T00:00:00Z' } },
    'accepts',
    { also: authority },
  ],
  [
    'that began a second after the authority signed',
    { leaf: { notBefore: '2026-01-01T00:00:01Z' } },
    /authentic/i,
    { also: authority },
  ],
  [
    'whose root expired before the authority signed',
    { root: { notAfter: '2025-01-01T00:00:00Z' } },
    /authentic/i,
    { also: authority },
  ],
];

const nowhere = 'http://127.0.0.1:9/';

const revocation: readonly Row[] = [
  [
    'that names an OCSP responder which does not answer',
    { leaf: { ocspUrls: [nowhere] } },
    /revocation/,
  ],
  [
    'that names a list of revoked certificates which is not there',
    { leaf: { crlUrls: [nowhere] } },
    /revocation/,
  ],
  [
    'whose intermediate names an OCSP responder which does not answer',
    { intermediate: { 0: { ocspUrls: [nowhere] } } },
    /revocation/,
  ],
  ['whose root alone names an OCSP responder', { root: { ocspUrls: [nowhere] } }, 'accepts'],
  [
    'that names a silent OCSP responder, at level permissive',
    { leaf: { ocspUrls: [nowhere] } },
    'accepts',
    { policy: { signatureVerification: { level: 'permissive' } } },
  ],
  [
    'that names a silent OCSP responder, with revocation logged',
    { leaf: { ocspUrls: [nowhere] } },
    'accepts',
    { policy: { signatureVerification: { level: 'strict', override: { revocation: 'log' } } } },
  ],
  [
    'that names a silent OCSP responder, with revocation skipped',
    { leaf: { ocspUrls: [nowhere] } },
    'accepts',
    { policy: { signatureVerification: { level: 'strict', override: { revocation: 'skip' } } } },
  ],
];

/** Time and revocation of certificates. */
export const validityCases: readonly Case[] = [...times, ...revocation].map(
  ([title, ...rest], index) => chainCase([`by a leaf certificate ${title}`, ...rest], index),
);
