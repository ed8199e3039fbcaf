/**
 * The base of every error that says "we could not": each layer has one class with a union of
 * stable codes. A message is a lower-case sentence without a trailing dot that names the thing
 * and never a secret; `cause` keeps the original.
 */
export class TaggedError<Code extends string> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The message of anything thrown, for a `because`. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** What was thrown, as an error in any case. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** The code of a system call's failure, such as `ENOENT`; empty where it has none. */
export function systemCodeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}
