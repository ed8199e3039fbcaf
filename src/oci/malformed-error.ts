import { TaggedError } from '../kernel/tagged-error.ts';

export type MalformedCode = 'DIGEST_MALFORMED' | 'NAME_MALFORMED' | 'MANIFEST_MALFORMED';

/** A document or name that breaks the OCI specifications, or that two readers could read apart. */
export class MalformedError extends TaggedError<MalformedCode> {}
