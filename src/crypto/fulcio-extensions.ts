import { derTags, readDer } from './der.ts';
import { EnvelopeError } from './envelope-error.ts';
import { type SubjectName, readSubjectNames } from './subject-names.ts';
import type { Certificate } from './x509.ts';

/** Who a certificate by Fulcio says that it was issued to (Fulcio, OID information). */
export interface FulcioIdentity {
  /** Who vouched for the person or workload: the `iss` of its identity token. */
  readonly issuer: string;
  readonly subject: SubjectName;
  /** What the token said of the workload, by name. */
  readonly claims: ReadonlyMap<FulcioClaim, string>;
}

const arc = '1.3.6.1.4.1.57264.1';
const legacyIssuer = `${arc}.1`;
const issuer = `${arc}.8`;

// Their values are bare text.
const legacyClaims = {
  githubWorkflowTrigger: `${arc}.2`,
  githubWorkflowSha: `${arc}.3`,
  githubWorkflowName: `${arc}.4`,
  githubWorkflowRepository: `${arc}.5`,
  githubWorkflowRef: `${arc}.6`,
} as const;

// Their values are UTF8Strings. They mean the same whichever service built: GitHub, GitLab and more.
const genericClaims = {
  buildSignerUri: `${arc}.9`,
  buildSignerDigest: `${arc}.10`,
  runnerEnvironment: `${arc}.11`,
  sourceRepositoryUri: `${arc}.12`,
  sourceRepositoryDigest: `${arc}.13`,
  sourceRepositoryRef: `${arc}.14`,
  sourceRepositoryIdentifier: `${arc}.15`,
  sourceRepositoryOwnerUri: `${arc}.16`,
  sourceRepositoryOwnerIdentifier: `${arc}.17`,
  buildConfigUri: `${arc}.18`,
  buildConfigDigest: `${arc}.19`,
  buildTrigger: `${arc}.20`,
  runInvocationUri: `${arc}.21`,
  sourceRepositoryVisibility: `${arc}.22`,
  deploymentEnvironment: `${arc}.23`,
} as const;

export type FulcioClaim = keyof typeof legacyClaims | keyof typeof genericClaims;

/** Every claim that a policy may name. */
export const fulcioClaims = [
  ...Object.keys(legacyClaims),
  ...Object.keys(genericClaims),
] as readonly FulcioClaim[];

const maxTextBytes = 4096;

/**
 * Reads the identity out of a leaf certificate; throws `EnvelopeError` where it names no issuer or
 * no subject, or where something that it names can't be read. Two issuers that differ are refused,
 * and two subjects, with which one signature would be by two (Fulcio, Certificate Specification).
 */
export function readFulcioIdentity(certificate: Certificate): FulcioIdentity {
  const [subject, ...others] = readSubjectNames(certificate);
  if (subject === undefined) throw malformed('names no subject');
  if (others.length > 0) throw malformed('names more than one subject');
  return { issuer: readIssuer(certificate), subject, claims: readClaims(certificate) };
}

function readIssuer(certificate: Certificate): string {
  const legacy = read(certificate, legacyIssuer, readBareText);
  const current = read(certificate, issuer, readUtf8String);
  if (legacy !== undefined && current !== undefined && legacy !== current) {
    throw malformed('names two issuers');
  }
  const text = current ?? legacy ?? '';
  if (text === '') throw malformed('names no issuer');
  return text;
}

function readClaims(certificate: Certificate): ReadonlyMap<FulcioClaim, string> {
  const readers = [
    ...Object.entries(legacyClaims).map(([name, oid]) => ({ name, oid, reader: readBareText })),
    ...Object.entries(genericClaims).map(([name, oid]) => ({ name, oid, reader: readUtf8String })),
  ];
  const claims = new Map<FulcioClaim, string>();
  for (const { name, oid, reader } of readers) {
    const value = read(certificate, oid, reader);
    if (value !== undefined) claims.set(name as FulcioClaim, value);
  }
  return claims;
}

function read(
  { extensions }: Certificate,
  oid: string,
  reader: (value: Uint8Array) => string,
): string | undefined {
  const value = extensions.get(oid)?.value;
  if (value === undefined) return undefined;
  if (value.length > maxTextBytes) throw malformed(`has too long a value of ${oid}`);
  return reader(value);
}

function readUtf8String(value: Uint8Array): string {
  const { tag, content } = readDer(value);
  if (tag !== derTags.utf8String) throw malformed('has a claim that is no UTF8String');
  return readBareText(content);
}

function readBareText(value: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
  } catch (cause) {
    throw malformed('has a claim that is not UTF-8', cause);
  }
}

function malformed(why: string, cause?: unknown): EnvelopeError {
  return new EnvelopeError('CERTIFICATE_MALFORMED', `the certificate ${why}`, { cause });
}
