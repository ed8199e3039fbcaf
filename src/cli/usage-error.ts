import { TaggedError } from '../kernel/tagged-error.ts';

/** The command line can't be followed. */
export class UsageError extends TaggedError<'USAGE'> {
  constructor(message: string, options?: ErrorOptions) {
    super('USAGE', message, options);
  }
}
