import { oncePer } from '../../kernel/once.ts';
import { quoted } from '../../kernel/quoted.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { algorithmOf, encodedOf } from '../../oci/digest.ts';
import { fail, pass } from '../finding.ts';
import type { Finding } from '../signature-format.ts';
import { checkSimpleSigning, type KnownNames } from './simple-signing.ts';
import type { SignedContent } from './sigstore-envelope.ts';
import { readStatementHead } from './statement-head.ts';

/** With this type cosign signs; a statement of any other type attests, and never is a signature. */
export const signaturePredicateType = 'https://sigstore.dev/cosign/sign/v1';

const statementPayloadType = 'application/vnd.in-toto+json';

type DsseContent = Extract<SignedContent, { kind: 'dsse' }>;
type ArtifactContent = Extract<SignedContent, { kind: 'artifact' }>;

export interface PayloadFound {
  readonly finding: Finding;
  /** Of a statement that names the subject. */
  readonly predicateType?: string;
}

/** What was signed speaks of exactly the content that is verified: else any signature would do. */
export function checkPayloadNamesSubject(
  content: SignedContent,
  subject: Descriptor,
  names: KnownNames,
): PayloadFound {
  if (content.kind === 'dsse') return checkStatement(content, subject);
  if (content.kind === 'artifact') return { finding: checkArtifact(content, subject) };
  return { finding: checkSimpleSigning(content.payload, subject.digest, names) };
}

/** The bundle's hash is what the signature is verified over, so it is compared and not trusted. */
function checkArtifact({ hash, digest }: ArtifactContent, subject: Descriptor): Finding {
  const stated = `${hash}:${Buffer.from(digest).toString('hex')}`;
  if (stated === subject.digest) return pass({ subject: stated });
  return fail('signature-invalid', `it is over other content: ${stated}, not ${subject.digest}`);
}

const headOf = oncePer(({ payload, head }: DsseContent) => head ?? readStatementHead(payload));

/**
 * in-toto Attestation Framework, Statement v1: subjects are matched purely by their digests; of
 * these by the manifest's own algorithm alone.
 */
function checkStatement(content: DsseContent, { digest }: Descriptor): PayloadFound {
  if (content.payloadType !== statementPayloadType) {
    const because = `its payloadType is ${quoted(content.payloadType)}, not ${statementPayloadType}`;
    return { finding: fail('signature-invalid', because) };
  }
  const head = headOf(content);
  if ('problem' in head) {
    const because = `the statement can not be read: ${head.problem}`;
    return { finding: fail('signature-invalid', because) };
  }
  const { predicateType, subjects } = head;
  const algorithm = algorithmOf(digest);
  const hex = encodedOf(digest);
  if (!subjects.some((subject) => subject.get(algorithm) === hex)) {
    const count = subjects.length === 1 ? 'its subject' : `none of its ${subjects.length} subjects`;
    const because = `it is over other content: ${count} is not ${digest}`;
    return { finding: fail('signature-invalid', because) };
  }
  const evidence = { subject: digest, predicateType: quoted(predicateType, 200) };
  return { finding: pass(evidence), predicateType };
}
