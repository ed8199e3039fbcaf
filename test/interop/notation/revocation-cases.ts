import type { CertificateOverrides } from '../../support/test-ca.ts';
import { makeChain } from '../../support/test-ca.ts';
import { buildCrl } from '../../support/test-crl.ts';
import { type Case, type CaseOptions, formats, makeCase, signature } from './case.ts';

const permissive: CaseOptions = { policy: { signatureVerification: { level: 'permissive' } } };

/** The lists of revoked certificates that the cases need, by the path they are served under. */
export function revocationLists(url: string): ReadonlyMap<string, Uint8Array> {
  const { leaf, certificates } = makeChain({ leaf: listing(url, 'revoked') });
  const issuer = certificates[1] ?? leaf;
  return new Map([
    ['/good', buildCrl({ issuer })],
    ['/revoked', buildCrl({ issuer, revoked: [leaf] })],
    ['/old', buildCrl({ issuer, nextUpdate: '2026-02-01T00:00:00Z' })],
  ]);
}

function listing(url: string, name: string): CertificateOverrides {
  return { crlUrls: [`${url}/${name}`] };
}

/** Certificates that name a list which can be read. */
export function makeRevocationCases(url: string): readonly Case[] {
  const row = (
    title: string,
    list: string,
    notation: Case['notation'],
    options: CaseOptions = {},
  ): readonly Case[] =>
    formats.map((format) => {
      const chain = makeChain({ leaf: listing(url, list) });
      const named = `a ${format} signature by a certificate ${title}`;
      return makeCase(named, [signature(format, { chain })], notation, options);
    });
  return [
    ...row('that its list does not revoke', 'good', 'accepts', {
      difference: 'revocation-not-yet',
    }),
    ...row('that its list does not revoke, at level permissive', 'good', 'accepts', permissive),
    ...row('that its list revokes', 'revoked', /revoked/),
    ...row('that its list revokes, at level permissive', 'revoked', 'accepts', permissive),
    ...row('whose list is out of date', 'old', /revocation/),
    ...row('whose list is out of date, at level permissive', 'old', 'accepts', permissive),
  ];
}
