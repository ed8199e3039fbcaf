import type { FulcioClaim } from '../crypto/fulcio-extensions.ts';
import type { SigstoreCertificate, SigstoreRequirement } from '../verdict/sigstore-requirement.ts';
import { doubtsOfPattern } from './pattern-lint.ts';

/** Issuers that speak for everybody who signs up, so that a subject is all that tells them apart. */
const ciIssuers = [
  'https://token.actions.githubusercontent.com',
  'https://gitlab.com',
  'https://agent.buildkite.com',
  'https://oidc.circleci.com',
];

const github = 'https://token.actions.githubusercontent.com';

/** Of these each says for which repository a workflow ran. */
const callerClaims: readonly FulcioClaim[] = [
  'sourceRepositoryUri',
  'sourceRepositoryIdentifier',
  'sourceRepositoryOwnerUri',
  'sourceRepositoryOwnerIdentifier',
  'githubWorkflowRepository',
];

/** What is doubtful in what an identity demands. */
export function doubtsOfSigstore(
  { signer, minLogs, minTimestamps, minCertificateLogs }: SigstoreRequirement,
  at: Date,
): readonly string[] {
  if (signer.kind === 'certificate') {
    const { issuer, subject, claims } = signer;
    const doubts = [issuer, subject, ...claims.values()].flatMap(doubtsOfPattern);
    if (isAnybodysWorkflow(signer)) {
      doubts.push(
        'GitHub names the workflow, and another repository may call it if it is reusable: add claims.repository',
      );
    }
    if (minCertificateLogs === 0) {
      doubts.push('without certificateTransparency nobody sees a certificate issued in error');
    }
    if (minLogs === 0)
      doubts.push('without transparencyLog nobody sees a signature that was stolen');
    if (
      issuer.kind === 'pattern' &&
      ciIssuers.filter((known) => issuer.matches(known)).length > 1
    ) {
      doubts.push('issuerPattern matches the issuers of several build services');
    }
    return doubts;
  }
  const timeless = minLogs + minTimestamps === 0;
  return signer.keys.flatMap(({ name, validFrom, validUntil }) => {
    const doubts: string[] = [];
    if (validUntil !== undefined && validUntil < at && timeless) {
      doubts.push(
        `key ${name} ended ${validUntil.toISOString()}, and no trusted time is asked for`,
      );
    }
    if (validFrom !== undefined && at < validFrom && timeless) {
      doubts.push(
        `key ${name} begins ${validFrom.toISOString()}, and no trusted time is asked for`,
      );
    }
    return doubts;
  });
}

function isAnybodysWorkflow({ issuer, subject, claims }: SigstoreCertificate): boolean {
  const isOfGitHub = issuer.matches(github) && subject.text.includes('github');
  return isOfGitHub && !callerClaims.some((claim) => claims.has(claim));
}
