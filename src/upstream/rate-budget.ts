import type { Clock } from '../kernel/clock.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { Operation } from './circuit.ts';
import { headerOf } from './header.ts';
import type { WireAnswer } from './http.ts';
import { type RateLimit, readRateLimit } from './rate-limit.ts';
import { maxRetryAfterSeconds, parseRetryAfter } from './retry-after.ts';
import { NotAskedError } from './upstream-error.ts';

/** What is known of how much an upstream still allows, whichever replica was told. */
export interface KnownRate {
  /** When the upstream last said how many requests are left. */
  readonly at: Date;
  /** Undefined: it has not said. */
  readonly remaining: number | undefined;
  /** Until then that counts. */
  readonly until: Date;
  /** Until when an operation is not to be asked for, as a 429 said. */
  readonly pauses: Readonly<Partial<Record<Operation, Date>>>;
}

/** Where replicas tell each other. Neither may take long; what fails there costs knowledge alone. */
export interface SharedRates {
  read(upstream: string): Promise<KnownRate | undefined>;
  write(upstream: string, known: KnownRate): Promise<void>;
}

/** Keeps to what an upstream allows all replicas together. */
export interface RateBudget {
  /** Before a question. Rejects with `NotAskedError` where it is better not asked. */
  admit(question: { readonly operation: Operation; readonly isRenewal: boolean }): Promise<void>;
  /** What an answer says about it. */
  note(operation: Operation, answer: Pick<WireAnswer, 'status' | 'headers'>): void;
}

export interface RateBudgetOptions {
  readonly upstream: string;
  /** With no more left than this, what is known already is not asked for again. */
  readonly reserve: number;
}

export interface RateBudgetDependencies {
  readonly clock: Clock;
  readonly metrics?: Metrics | undefined;
  readonly shared?: SharedRates | undefined;
}

/** What others know is looked at, and what we know is told, at most so often. */
const shareEveryMs = 1_000;
/** That little is left is believed for so long: then one question finds out. */
const maxLowSeconds = 60;
const maxLowMs = maxLowSeconds * 1000;

const nothing: KnownRate = {
  at: new Date(0),
  remaining: undefined,
  until: new Date(0),
  pauses: {},
};

export function makeRateBudget(
  { upstream, reserve }: RateBudgetOptions,
  { clock, metrics, shared }: RateBudgetDependencies,
): RateBudget {
  const sharing = shared && makeSharing(upstream, shared, clock);
  let known = nothing;

  const learn = (more: KnownRate): void => {
    known = newest(known, more, clock.now());
    if (known.remaining === undefined) return;
    metrics?.set('assay_upstream_rate_limit_remaining', { upstream }, known.remaining);
  };
  const refuse = (operation: Operation, until: Date, message: string): never => {
    const because = 'rate-limit';
    metrics?.count('assay_upstream_unasked_total', { upstream, operation, because });
    const seconds = Math.ceil((until.getTime() - clock.now().getTime()) / 1000);
    throw new NotAskedError(because, 'UPSTREAM_RATE_LIMITED', message, Math.max(1, seconds));
  };

  return {
    async admit({ operation, isRenewal }) {
      const told = await sharing?.read();
      if (told !== undefined) learn(told);
      const now = clock.now();
      const pause = known.pauses[operation];
      if (pause !== undefined && now < pause) {
        refuse(operation, pause, 'allows no more requests for now');
      }
      const { remaining = Infinity, until } = known;
      if (!isRenewal || remaining > reserve || reserve === 0) return;
      if (now < until) {
        refuse(operation, until, `allows ${remaining} more requests, which are for what is new`);
      }
      // This one finds out for all who come while it is asked.
      known = { ...known, until: new Date(now.getTime() + maxLowMs) };
    },
    note(operation, answer) {
      const before = known;
      const told = toldBy(operation, answer, before, clock.now());
      if (told === undefined) return;
      learn(told);
      const isUrgent = answer.status === 429 || isLow(known, reserve) !== isLow(before, reserve);
      sharing?.write(known, isUrgent);
    },
  };
}

type Answer = Pick<WireAnswer, 'status' | 'headers'>;

/** What is known after an answer; undefined where it says nothing. */
function toldBy(
  operation: Operation,
  answer: Answer,
  before: KnownRate,
  now: Date,
): KnownRate | undefined {
  const after = (seconds: number): Date => new Date(now.getTime() + seconds * 1000);
  const isRefused = answer.status === 429;
  const retryAfter = parseRetryAfter(headerOf(answer, 'retry-after'), now);
  const pauseSeconds = isRefused ? retryAfter : undefined;
  const limit = readRateLimit(answer) ?? (isRefused ? nothingLeft(pauseSeconds) : undefined);
  if (limit === undefined) return undefined;
  const { remaining, resetSeconds = maxLowSeconds } = limit;
  const pause = pauseSeconds === undefined ? {} : { [operation]: after(pauseSeconds) };
  return {
    at: now,
    remaining,
    until: after(Math.min(resetSeconds, maxLowSeconds)),
    pauses: { ...before.pauses, ...pause },
  };
}

/** What a 429 says that says nothing else. */
function nothingLeft(resetSeconds: number | undefined): RateLimit {
  return { remaining: 0, resetSeconds };
}

function isLow({ remaining = Infinity }: KnownRate, reserve: number): boolean {
  return remaining <= reserve;
}

/** What was said last counts; of pauses the longest, none of them longer than one may be. */
function newest(one: KnownRate, other: KnownRate, now: Date): KnownRate {
  const isAhead = other.at.getTime() - now.getTime() > maxLowMs;
  const { at, remaining, until } = other.at >= one.at && !isAhead ? other : one;
  const latest = (most: number, ...dates: readonly (Date | undefined)[]): Date =>
    new Date(
      Math.min(now.getTime() + most, Math.max(...dates.map((date) => date?.getTime() ?? 0))),
    );
  const operations = new Set([...Object.keys(one.pauses), ...Object.keys(other.pauses)]);
  const pauses = Object.fromEntries(
    [...operations].flatMap((name) => {
      const operation = name as Operation;
      const pause = latest(
        maxRetryAfterSeconds * 1000,
        one.pauses[operation],
        other.pauses[operation],
      );
      return pause > now ? [[operation, pause]] : [];
    }),
  );
  return { at, remaining, until: latest(maxLowMs, until), pauses };
}

/** Reads and writes no more often than it must; neither is of anybody's concern where it fails. */
function makeSharing(upstream: string, shared: SharedRates, clock: Pick<Clock, 'monotonicMs'>) {
  let readMs = -Infinity;
  let wroteMs = -Infinity;
  let reading: Promise<KnownRate | undefined> | undefined;
  return {
    async read(): Promise<KnownRate | undefined> {
      if (reading !== undefined) return reading;
      const now = clock.monotonicMs();
      if (now - readMs < shareEveryMs) return undefined;
      readMs = now;
      reading = shared
        .read(upstream)
        .catch(() => undefined)
        .finally(() => {
          reading = undefined;
        });
      return reading;
    },
    write(known: KnownRate, isUrgent: boolean): void {
      const now = clock.monotonicMs();
      if (!isUrgent && now - wroteMs < shareEveryMs) return;
      wroteMs = now;
      shared.write(upstream, known).catch(() => undefined);
    },
  };
}
