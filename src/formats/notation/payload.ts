import { isObject, type Json, JsonError, readJson } from '../../kernel/json.ts';
import { oncePer } from '../../kernel/once.ts';
import { quoted } from '../../kernel/quoted.ts';
import { refuseCaseVariants } from '../../oci/case-variants.ts';
import { type Descriptor, readDescriptor } from '../../oci/descriptor.ts';
import { MalformedError } from '../../oci/malformed-error.ts';
import type { Finding } from '../signature-format.ts';
import { fail, pass } from '../finding.ts';
import { type NotationEnvelope, payloadType } from './notation-envelope.ts';

/**
 * Signature Specification, Payload: the signature speaks of exactly the content that is verified.
 * Without this any signature of a trusted signer would do for any content.
 */
export function checkPayloadNamesSubject(
  { contentType, payload }: NotationEnvelope,
  subject: Descriptor,
): Finding {
  if (contentType !== payloadType) {
    return fail('signature-invalid', `the content type is ${quoted(contentType)}`);
  }
  let target: Descriptor;
  try {
    target = readTargetArtifact(payload);
  } catch (error) {
    if (!(error instanceof MalformedError || error instanceof JsonError)) throw error;
    return fail('signature-invalid', `the payload is malformed: ${error.message}`);
  }
  for (const member of ['digest', 'mediaType', 'size'] as const) {
    if (target[member] !== subject[member]) {
      const [signed, asked] = [String(target[member]), String(subject[member])];
      const because = `it is over other content: ${member} ${quoted(signed)}, not ${quoted(asked)}`;
      return fail('signature-invalid', because);
    }
  }
  return pass({ subject: `${target.mediaType}@${target.digest}, ${target.size} bytes` });
}

const knownNames = ['targetArtifact'] as const;

/** Once, however many identities the signature is held against. */
const readTargetArtifact = oncePer((payload: Uint8Array): Descriptor => {
  const document: Json = readJson(payload);
  if (!isObject(document)) throw new MalformedError('MANIFEST_MALFORMED', 'it is no JSON object');
  // Go's reader, which most clients have, takes TargetArtifact for targetArtifact.
  refuseCaseVariants(document, knownNames, 'it');
  return readDescriptor(document['targetArtifact'], 'targetArtifact');
});
