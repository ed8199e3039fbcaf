import { TaggedError } from '../kernel/tagged-error.ts';

/** The workers crash again and again, and no restart mends it. */
export class WorkersError extends TaggedError<'WORKERS_CRASH'> {}
