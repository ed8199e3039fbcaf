/**
 * Why something is not served. The codes are stable; each says what happened and what to do.
 * docs/reasons.md is generated from this table.
 */
export const reasons = {
  unsigned: {
    means: 'no signature was found in any place where one may be',
    remedy: 'sign it, or ask its publisher to; see `assay explain REF` for the places searched',
  },
  'no-trusted-signer': {
    means: 'it is signed, but by nobody whom the trust policy names for this repository',
    remedy: 'add the signer to the rule, or pull an artifact signed by one that it names',
  },
  'not-enough-signers': {
    means: 'trusted signatures exist, but fewer or others than the rule asks for',
    remedy: 'have the missing identities sign it; `assay explain REF` names them',
  },
  'attestation-missing': {
    means: 'the rule asks for an attestation of some type by some signer, and there is none',
    remedy:
      'have it attested (`cosign attest`); see `assay explain REF` for the attestations found',
  },
  'attestation-condition': {
    means: 'an attestation is there, but what it says does not meet a condition of the rule',
    remedy:
      'see `assay explain REF` for what it says; build, scan or attest again, or mend the rule',
  },
  'signature-invalid': {
    means: 'a signature is malformed, was made for other content, or does not verify',
    remedy: 'treat it as tampered with; compare with the publisher, then sign again',
  },
  'signature-expired': {
    means: 'the signature carries an expiry time that has passed',
    remedy: 'sign it again, or pull a newer release',
  },
  'signature-too-old': {
    means: 'the rule asks for younger signatures of what is pulled by a tag (maxSignatureAge)',
    remedy: 'have it signed again, or pull a newer release; a pull by digest is not bound',
  },
  'signing-time-unproven': {
    means:
      'the rule asks for young signatures under a tag, and no trusted time of signing is proven',
    remedy: 'sign again with a timestamp or a log entry; a pull by digest is not bound',
  },
  'rolled-back': {
    means: 'the tag went back to something older than it was served with before',
    remedy:
      'pull the newer digest; if it is meant, list this one under tags.allowedRollbacks of the rule',
  },
  'certificate-expired': {
    means:
      "a certificate of the signer's chain is not valid now and no trusted time is proven, or was not valid then",
    remedy: 'sign again with a valid certificate, or with a timestamp',
  },
  'timestamp-unproven': {
    means: 'the trust policy asks for a timestamp by an authority, and none could be verified',
    remedy: 'sign again with a timestamp, or set verifyTimestamp to afterCertExpiry',
  },
  'log-unproven': {
    means:
      'the trust policy asks for an entry in a transparency log, and none, or too few, could be verified',
    remedy:
      'sign again with a log that the trusted root knows, or set transparencyLog in the policy',
  },
  'certificate-revoked': {
    means: "a certificate of the signer's chain, or of its timestamp's authority, is revoked",
    remedy: 'do not use it; ask the publisher for an artifact signed with a new certificate',
  },
  denylisted: {
    means:
      'an operator has revoked it here, or what vouches for it, or the key or identity that signed it',
    remedy: 'do not use it; `assay deny list` says who put it on the deny list, and why',
  },
  'revocation-unknown': {
    means: 'whether a certificate is revoked could not be found out',
    remedy: 'try again; if it stays, see whether the revocation service can be reached',
  },
  'revocation-stale': {
    means: 'what came over the air gap on revocations is older than this site permits',
    remedy:
      'import a newer bundle, for which one of revocations alone will do; see airgap.revocationMaxAge',
  },
  'plugin-needed': {
    means: 'the signer asks for a verification plugin that is not allowed here, or for a newer one',
    remedy: 'allow it under trust.plugins, or pull an artifact whose signature needs none',
  },
  'level-vouches-for-nothing': {
    means: "the identity's Notation level is audit or skip, which prove no signer",
    remedy: 'set the level to strict or permissive in the trust policy',
  },
  exempted: {
    means: 'a rule exempts it from verification until a stated time; it is served, not trusted',
    remedy: 'have it signed before the exemption ends',
  },
  'no-rule': {
    means: 'no rule of the trust policy matches this repository',
    remedy: 'add a rule for it to the trust policy, if it should be pulled at all',
  },
  'not-reachable': {
    means: 'the digest has no signature of its own and no verified parent that lists it is known',
    remedy: 'pull by tag, or pin the digest of the signed index or image',
  },
  'malformed-manifest': {
    means: 'the manifest is malformed, or two clients could read it differently',
    remedy: 'ask the publisher to build and push it with a current tool',
  },
  'not-verifiable': {
    means: 'a check could not be carried out: trust material is missing, or an error of ours',
    remedy: 'an operator must act: the log and `assay explain REF` say which check and why',
  },
  'upstream-unavailable': {
    means: 'the upstream did not answer well enough to find out',
    remedy: 'try again; `assay doctor` and the metrics show the state of the upstream',
  },
  'limit-exceeded': {
    means: 'there are more or larger signatures than may be examined, and none so far was trusted',
    remedy: 'remove stray signatures from the repository; `assay explain REF` lists them',
  },
} as const satisfies Record<string, { means: string; remedy: string }>;

export type Reason = keyof typeof reasons;
