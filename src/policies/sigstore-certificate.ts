import { type FulcioClaim, fulcioClaims } from '../crypto/fulcio-extensions.ts';
import type { SigstoreCertificate, TextMatch } from '../verdict/sigstore-requirement.ts';
import { type Fields, type Place, readFields, type ReportProblem } from './document-reader.ts';
import { readMatch } from './read-match.ts';

export const certificateKeys = [
  'issuer',
  'issuerPattern',
  'subject',
  'subjectPattern',
  'claims',
] as const;

/** What people call the claims that they ask for most. */
const shortNames = {
  repository: 'sourceRepositoryUri',
  ref: 'sourceRepositoryRef',
  workflow: 'buildConfigUri',
  trigger: 'buildTrigger',
} as const satisfies Record<string, FulcioClaim>;

/** How a policy may name each claim. */
export const claimNames: ReadonlyMap<string, FulcioClaim> = new Map([
  ...Object.entries(shortNames),
  ...fulcioClaims.map((claim) => [claim, claim] as const),
]);

/** Issuer and subject are both demanded: half of an identity is anybody at some provider. */
export function readCertificate(
  fields: Fields,
  place: Place,
  report: ReportProblem,
): SigstoreCertificate | undefined {
  if (!certificateKeys.some((key) => fields.has(key))) {
    return report(place, 'must name publicKeys, or issuer and subject');
  }
  const issuer = readDemanded('issuer', fields, place, report);
  const subject = readDemanded('subject', fields, place, report);
  const claimsPlace = fields.get('claims');
  const claims = claimsPlace === undefined ? new Map() : readClaims(claimsPlace, report);
  if (issuer === undefined || subject === undefined || claims === undefined) return undefined;
  return { kind: 'certificate', issuer, subject, claims };
}

function readDemanded(
  name: string,
  fields: Fields,
  place: Place,
  report: ReportProblem,
): TextMatch | undefined {
  if (fields.has(name) || fields.has(`${name}Pattern`)) return readMatch(name, fields, report);
  return report(place, `${name} or ${name}Pattern is missing: issuer and subject are both needed`);
}

function readClaims(
  place: Place,
  report: ReportProblem,
): ReadonlyMap<string, TextMatch> | undefined {
  const optional = [...claimNames.keys()].flatMap((name) => [name, `${name}Pattern`]);
  const fields = readFields(place, { optional }, report);
  if (fields === undefined) return undefined;
  if (place.node.kind === 'map' && place.node.entries.length === 0) {
    return report(place, 'must not be empty');
  }
  const claims = new Map<string, TextMatch>();
  for (const [name, claim] of claimNames) {
    if (!fields.has(name) && !fields.has(`${name}Pattern`)) continue;
    const match = readMatch(name, fields, report);
    if (claims.has(claim)) report(place, `${claim} and its short name are one claim`);
    if (match !== undefined) claims.set(claim, match);
  }
  // A claim that did not load has been reported, and so the policy does not load.
  return claims;
}
