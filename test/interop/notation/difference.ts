/** The headings under which docs/differences.md explains where Assay and notation part. */
export const differenceIds = [
  'unknown-critical-attribute',
  'crit-list',
  'time-of-other-scheme',
  'jws-members',
  'unencoded-payload',
  'certificate-base64',
  'ambiguous-json',
  'strict-cbor',
  'chain-in-protected-header',
  'any-extended-key-usage',
  'basic-constraints-critical',
  'joined-attributes',
  'other-identity-kinds',
  'level-vouches',
  'skip-for-every-repository',
  'strict-policy-file',
  'absent-trust-store',
  'trust-store-files',
  'one-bad-signature',
  'signatures-under-tags',
  'strict-timestamp',
  'timestamp-ber',
  'revocation-not-yet',
] as const;

export type DifferenceId = (typeof differenceIds)[number];
