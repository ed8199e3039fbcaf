import type { DeniedError } from '../gate/gate-error.ts';
import { referenceSuffix, type Reference } from '../oci/reference.ts';
import type { Verdict } from '../verdict/verdict.ts';
import { toPrintable } from './header-text.ts';
import { maxDenialMessageLength } from './limits.ts';

/** Registries' common words, by which CRI-O counts a denial as one. */
const opening = 'requested access to the resource is denied: ';
const minParticulars = 20;

/** What a person reads in the client: why, which verdict, and where to read on. Under 300 characters. */
export function denialMessage(
  { verdict, reason }: DeniedError,
  reference: Reference | undefined,
  publicUrl: string | undefined,
): string {
  const lead = `${opening}${reason}`;
  const id = ` id=${verdict.id} `;
  const longExplain =
    publicUrl === undefined
      ? `assay explain ${verdict.scope}${suffixOf(reference, verdict)}`
      : `${publicUrl}/v1/verdicts/${verdict.id}`;
  const room = maxDenialMessageLength - lead.length - id.length;
  const explain = longExplain.length <= room ? longExplain : 'assay explain REF';
  const left = room - explain.length - ' ()'.length;
  const particulars = left < minParticulars ? '' : ` (${toPrintable(verdict.because, left)})`;
  return toPrintable(`${lead}${particulars}${id}${explain}`, maxDenialMessageLength);
}

function suffixOf(reference: Reference | undefined, { subject }: Verdict): string {
  if (reference !== undefined) return referenceSuffix(reference);
  return subject === undefined ? '' : referenceSuffix({ digest: subject });
}

/** The same in a few words: for the reason phrase and `X-Assay-Reason`, since HEAD has no body. */
export function shortReason(reason: string, verdictId: string): string {
  return toPrintable(`${reason} (id ${verdictId})`, 100);
}
