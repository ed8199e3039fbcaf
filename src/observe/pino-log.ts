import { type DestinationStream, pino, stdTimeFunctions } from 'pino';
import type { Log } from './log.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface PinoLog extends Log {
  /** Resolves once all lines so far are with the operating system. */
  flush(): Promise<void>;
}

/** The most that waits in memory for a slow reader of the log, in bytes; more is dropped. */
const maxBacklogBytes = 8 * 1024 * 1024;
const maxCauses = 4;
/**
 * So much is written to a pipe in one piece, whoever else writes (pipe(7), PIPE_BUF): lines that
 * wait together are split between two, and no line up to this length is broken by another.
 */
const maxSharedWriteBytes = 4096;

/** Keys that never carry a value into the log, at the top and one level down. */
const secretKeys = [
  'authorization',
  'Authorization',
  'cookie',
  'password',
  'passphrase',
  'token',
  'access_token',
  'refresh_token',
  'identitytoken',
  'secret',
  'credentials',
  'privateKey',
];

/** One JSON line an event. Secrets are redacted by key; an error is its code, message and causes. */
export function makePinoLog(options: {
  readonly level: LogLevel;
  /** Default: standard output, written without blocking the event loop. */
  readonly destination?: DestinationStream;
  /** Stands in each line: which of several workers wrote it. */
  readonly worker?: number;
  /** Other processes write to the same standard output. */
  readonly isShared?: boolean;
}): PinoLog {
  const { worker, isShared = false } = options;
  const maxWrite = isShared ? maxSharedWriteBytes : undefined;
  const destination =
    options.destination ??
    pino.destination({ fd: 1, sync: false, maxLength: maxBacklogBytes, maxWrite });
  const logger = pino(
    {
      level: options.level,
      base: worker === undefined ? null : { worker },
      messageKey: 'message',
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: toPlainError, cause: toPlainError },
      redact: { paths: secretKeys.flatMap((key) => [key, `*.${key}`]), censor: '[redacted]' },
    },
    destination,
  );
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    flush: () =>
      new Promise((resolve) => {
        logger.flush(() => resolve());
      }),
  };
}

/** Only named members: an error may carry requests, headers or whole verdicts. */
function toPlainError(thrown: unknown, depth = 0): unknown {
  if (!(thrown instanceof Error)) return thrown;
  const { name, message, stack, cause } = thrown;
  const code: unknown = 'code' in thrown ? thrown.code : undefined;
  return {
    name,
    message,
    ...(typeof code === 'string' ? { code } : { stack }),
    ...(cause !== undefined && depth < maxCauses && { cause: toPlainError(cause, depth + 1) }),
  };
}
