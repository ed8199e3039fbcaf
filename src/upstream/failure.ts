import { TooLargeError } from '../kernel/bounded.ts';
import { JsonError } from '../kernel/json.ts';
import { quoted } from '../kernel/quoted.ts';
import { messageOf, systemCodeOf } from '../kernel/tagged-error.ts';
import { UpstreamError, type UpstreamErrorCode } from './upstream-error.ts';

const codes = new Map<string, UpstreamErrorCode>([
  ['UND_ERR_CONNECT_TIMEOUT', 'UPSTREAM_TIMEOUT'],
  ['UND_ERR_HEADERS_TIMEOUT', 'UPSTREAM_TIMEOUT'],
  ['UND_ERR_BODY_TIMEOUT', 'UPSTREAM_TIMEOUT'],
  ['ETIMEDOUT', 'UPSTREAM_TIMEOUT'],
  ['UND_ERR_HEADERS_OVERFLOW', 'UPSTREAM_MISBEHAVED'],
  ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'UPSTREAM_MISBEHAVED'],
]);

/** What any failure of a call means; `what` names the call: `manifest a/b:1 from upstream x`. */
export function toUpstreamError(error: unknown, what: string): UpstreamError {
  const { code, retryAfterSeconds } = classifyFailure(error);
  return new UpstreamError(code, `${what}: ${textOf(error)}`, {
    cause: error,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });
}

export interface FailureClass {
  readonly code: UpstreamErrorCode;
  readonly retryAfterSeconds?: number | undefined;
}

export function classifyFailure(error: unknown): FailureClass {
  if (error instanceof UpstreamError) return error;
  if (error instanceof TooLargeError) return { code: 'UPSTREAM_TOO_LARGE' };
  if (error instanceof JsonError) return { code: 'UPSTREAM_MISBEHAVED' };
  if (isTimeout(error)) return { code: 'UPSTREAM_TIMEOUT' };
  const code = systemCodeOf(error);
  if (isMalformed(error, code)) return { code: 'UPSTREAM_MISBEHAVED' };
  return { code: codes.get(code) ?? 'UPSTREAM_UNREACHABLE' };
}

/** Our own texts as they are; those of libraries may quote the other side. */
function textOf(error: unknown): string {
  if (error instanceof UpstreamError || error instanceof TooLargeError) return error.message;
  if (error instanceof JsonError) return error.message;
  if (isTimeout(error)) return 'took too long';
  return quoted(messageOf(error) || systemCodeOf(error), 200).slice(1, -1);
}

/** Bytes that are not what they claim to be: no HTTP, or a broken content encoding. */
function isMalformed(error: unknown, code: string): boolean {
  const isParserError = error instanceof Error && error.name === 'HTTPParserError';
  return isParserError || /^(?:Z_|ZSTD_|ERR_(?:_ERROR_|BROTLI_|PADDING_|ZSTD_))/.test(code);
}

/** What a deadline's signal aborts with. */
function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'TimeoutError';
}
