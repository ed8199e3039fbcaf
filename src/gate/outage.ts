import { TaggedError } from '../kernel/tagged-error.ts';

/**
 * Whether what was thrown says that something outside of this process failed: a connection, a disk,
 * a service, a deadline. It is worth a retry, whichever library told it; what is left over is a
 * mistake of ours. Each layer has errors of its own for this (`TaggedError`), which this does not
 * ask about: it is for what a library throws where nobody thought of it.
 */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof TaggedError) return false;
  // `fetch` says all failures as a TypeError with the true one as its cause.
  return tellsOfOutage(error) || (error.cause instanceof Error && tellsOfOutage(error.cause));
}

function tellsOfOutage(error: Error): boolean {
  if (names.has(error.name) || '$metadata' in error) return true;
  const code = 'code' in error ? error.code : undefined;
  return typeof code === 'string' && outageCodes.test(code) && !ourMistakes.has(code);
}

/** Of deadlines and ended signals, the client of S3 and that of Redis. */
const names: ReadonlySet<string> = new Set([
  'AbortError',
  'TimeoutError',
  'ReplyError',
  'MaxRetriesPerRequestError',
  'ClusterAllFailedError',
]);

/** System calls, streams that end too early, and undici, whose other codes are about arguments. */
const outageCodes =
  /^(?:E[A-Z]{2,}|ERR_STREAM_PREMATURE_CLOSE|UND_ERR_(?:\w+_TIMEOUT|SOCKET|ABORTED|CLOSED|DESTROYED|\w+_MISMATCH|RESPONSE\w*))$/;

/** A file that we closed before, and arguments that no system call takes. */
const ourMistakes: ReadonlySet<string> = new Set(['EBADF', 'EINVAL', 'EFAULT', 'ENOTSOCK']);
