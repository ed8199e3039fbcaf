import { makeChain, signatureAlgorithms } from '../../support/test-ca.ts';
import { signedBy } from '../../support/sign-notation.ts';
import { type Case, formats, image, makeCase, signature } from './case.ts';

const schemes = ['notary.x509', 'notary.x509.signingAuthority'] as const;

/** What both must accept: every algorithm, encoding, scheme and length of chain. */
export const algorithmCases: readonly Case[] = formats.flatMap((format) => [
  ...schemes.flatMap((scheme) =>
    signatureAlgorithms.map((algorithm) =>
      makeCase(
        `a good ${format} signature with ${algorithm} under ${scheme}`,
        [signature(format, { algorithm, scheme })],
        'accepts',
      ),
    ),
  ),
  ...([0, 1, 2] as const).map((intermediates) =>
    makeCase(
      `a good ${format} signature by a chain with ${intermediates} intermediates`,
      [signature(format, { chain: makeChain({ intermediates }) })],
      'accepts',
    ),
  ),
  makeCase(
    `a good ${format} signature in a manifest of the legacy form`,
    [signedBy({ of: image.descriptor, format, form: 'legacy' })],
    'accepts',
  ),
  makeCase(
    `a ${format} signature that states a far expiry`,
    [signature(format, { expiry: '2048-01-01T00:00:00Z' })],
    'accepts',
  ),
  makeCase(
    `a ${format} signature whose signing time is in the future, which proves nothing`,
    [signature(format, { signingTime: '2048-01-01T00:00:00Z' })],
    'accepts',
  ),
]);
