import { headerOf } from './header.ts';
import type { WireAnswer } from './http.ts';

/** What an upstream says that it still allows. */
export interface RateLimit {
  readonly remaining: number;
  /** In so many seconds it allows more, where it says. */
  readonly resetSeconds: number | undefined;
}

/**
 * Docker Hub states `ratelimit-remaining: 76;w=21600`, so many in a window of seconds; drafts of
 * the IETF (draft-ietf-httpapi-ratelimit-headers) have `ratelimit-reset` beside it, or all in one:
 * `ratelimit: limit=100, remaining=76, reset=30` and later `"name";r=76;t=30`.
 */
export function readRateLimit(answer: Pick<WireAnswer, 'headers'>): RateLimit | undefined {
  const all = headerOf(answer, 'ratelimit');
  const remaining =
    countAt(headerOf(answer, 'ratelimit-remaining'), /^(\d{1,9})(?:;|$)/) ??
    countAt(all, /(?:^|[\s,;])(?:remaining|r)=(\d{1,9})(?:[\s,;]|$)/);
  if (remaining === undefined) return undefined;
  const resetSeconds =
    countAt(headerOf(answer, 'ratelimit-reset'), /^(\d{1,9})(?:;|$)/) ??
    countAt(all, /(?:^|[\s,;])(?:reset|t)=(\d{1,9})(?:[\s,;]|$)/);
  return { remaining, resetSeconds };
}

function countAt(text: string | undefined, pattern: RegExp): number | undefined {
  const digits = text === undefined ? undefined : pattern.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
