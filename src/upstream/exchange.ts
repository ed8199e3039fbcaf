import { inTime } from '../kernel/abort.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { RepositoryPath } from '../oci/repository.ts';
import { readBody } from './body.ts';
import type { Authorizer } from './auth/authorizer.ts';
import type { Circuits, Operation, Trial } from './circuit.ts';
import { classifyFailure, toUpstreamError } from './failure.ts';
import type { RangeAsked, Transport, WireAnswer } from './http.ts';
import { discard, follow } from './redirect.ts';
import { makeRetryBudget, type Wait, withRetries } from './retry.ts';
import type { RateBudget } from './rate-budget.ts';
import { judgeStatus } from './status.ts';
import { NotAskedError, type UpstreamError } from './upstream-error.ts';

/** One question to an upstream. */
export interface Ask {
  readonly operation: Exclude<Operation, 'token'>;
  readonly url: URL;
  readonly accept?: string;
  /** May be answered with 206, or 416. */
  readonly range?: RangeAsked | undefined;
  /** The asker has an older answer that will do. */
  readonly isRenewal?: boolean | undefined;
  /** Whose right to pull is needed. */
  readonly path: RepositoryPath;
}

export type AnswerHead = Pick<WireAnswer, 'status' | 'url' | 'headers'>;

export interface ReadAnswer extends AnswerHead {
  /** Decoded. */
  readonly bytes: Buffer;
}

/**
 * Questions with all that goes with them: log-in, redirects, retries, deadline, metrics. Each
 * resolves with undefined for 404, and rejects with whatever went wrong: callers use `named`.
 */
export interface Exchange {
  /** HEAD; `unsupported` where the upstream has none. */
  head(ask: Ask, signal: AbortSignal): Promise<AnswerHead | 'unsupported' | undefined>;
  /** GET with a body of at most `maxBytes`, all within the deadline. */
  read(ask: Ask, maxBytes: number, signal: AbortSignal): Promise<ReadAnswer | undefined>;
  /** GET whose body the caller reads or destroys; the deadline ends with the headers. */
  open(ask: Ask, signal: AbortSignal): Promise<WireAnswer | undefined>;
  /**
   * What the work resolves with; its failure becomes an `UpstreamError` that says what was asked
   * of whom, or the signal's own reason.
   */
  named<T>(what: string, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  /** The same error for a failure that comes later, in the body of what was asked for. */
  broken(operation: Operation, what: string, error: unknown): UpstreamError;
}

export interface ExchangeOptions {
  readonly upstream: string;
  readonly origin: string;
  readonly totalMs: number;
}

export interface ExchangeDependencies {
  readonly transport: Transport;
  readonly authorizer: Authorizer;
  readonly circuits: Circuits;
  readonly rates: RateBudget;
  readonly clock: Clock;
  readonly wait: Wait;
  readonly metrics: Metrics | undefined;
}

type Method = 'GET' | 'HEAD';

export function makeExchange(
  options: ExchangeOptions,
  dependencies: ExchangeDependencies,
): Exchange {
  const { upstream, totalMs } = options;
  const { circuits } = dependencies;
  const ask = makeAsk(options, dependencies);

  const toError = (error: unknown, what: string): UpstreamError =>
    toUpstreamError(error, `${what} from upstream ${upstream}`);
  const open = async (question: Ask, signal: AbortSignal): Promise<WireAnswer | undefined> => {
    const deadline = new AbortController();
    const timer = setTimeout(() => {
      deadline.abort(new DOMException('no answer in time', 'TimeoutError'));
    }, totalMs);
    try {
      const answer = await ask('GET', question, AbortSignal.any([signal, deadline.signal]));
      if (answer.status !== 404) return answer;
      discard(answer);
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  };

  return {
    async head(question, signal) {
      const answer = await inTime(totalMs, signal, (ending) => ask('HEAD', question, ending));
      discard(answer);
      if (answer.status === 200) return answer;
      return answer.status === 404 ? undefined : 'unsupported';
    },
    async read(question, maxBytes, signal) {
      return inTime(totalMs, signal, async (ending) => {
        const answer = await ask('GET', question, ending);
        if (answer.status !== 200) {
          discard(answer);
          return undefined;
        }
        const reading = readBody(answer, maxBytes).catch((error: unknown) => {
          if (!signal.aborted) circuits[question.operation].noteBroken(error);
          throw error;
        });
        return { ...answer, bytes: await reading };
      });
    },
    open,
    async named(what, signal, work) {
      try {
        return await work();
      } catch (error) {
        signal.throwIfAborted();
        throw toError(error, what);
      }
    },
    broken(operation, what, error) {
      circuits[operation].noteBroken(error);
      return toError(error, what);
    },
  };
}

/** A question with its retries, if the upstream still allows it. */
function makeAsk(options: ExchangeOptions, dependencies: ExchangeDependencies) {
  const { clock, wait, rates } = dependencies;
  const terms = { clock, wait, budget: makeRetryBudget(), totalMs: options.totalMs };
  return async (method: Method, question: Ask, signal: AbortSignal): Promise<WireAnswer> => {
    const { operation, isRenewal = false } = question;
    // Once: whoever has been told to wait a moment does so, and asks again.
    await rates.admit({ operation, isRenewal });
    const once = () => attempt(method, question, options, dependencies, signal);
    return withRetries(once, terms, signal);
  };
}

/** One attempt, if the circuit lets it pass: counted and timed. */
async function attempt(
  method: Method,
  question: Ask,
  options: ExchangeOptions,
  dependencies: ExchangeDependencies,
  signal: AbortSignal,
): Promise<WireAnswer> {
  const { operation, range } = question;
  const { upstream } = options;
  const { circuits, rates, clock, metrics } = dependencies;
  const trial = circuits[operation].enter();
  const startMs = clock.monotonicMs();
  const count = (outcome: string): void => {
    const seconds = (clock.monotonicMs() - startMs) / 1000;
    metrics?.count('assay_upstream_requests_total', { upstream, operation, outcome });
    metrics?.time('assay_upstream_seconds', { upstream, operation }, seconds);
  };
  let answer: WireAnswer;
  try {
    answer = await askLoggedIn(method, question, options.origin, dependencies, trial, signal);
  } catch (error) {
    trial.failed(error, signal);
    // A circuit counts for itself.
    if (!(error instanceof NotAskedError)) {
      count(signal.aborted ? 'aborted' : classifyFailure(error).code);
    } else if (error.because === 'queue') {
      metrics?.count('assay_upstream_unasked_total', { upstream, operation, because: 'queue' });
    }
    throw error;
  }
  trial.answered(answer.status);
  count(`${Math.floor(answer.status / 100)}xx`);
  // What others say, to whom it led, is theirs alone.
  if (answer.url.origin === options.origin) rates.note(operation, answer);
  const failure = judgeStatus(answer, range === undefined ? method : 'GET of a range', clock);
  if (failure === undefined) return answer;
  discard(answer);
  throw failure;
}

/** With at most one renewed log-in, whose failure is none of the operation. */
async function askLoggedIn(
  method: Method,
  { url, accept, range, path }: Ask,
  origin: string,
  { transport, authorizer }: ExchangeDependencies,
  trial: Trial,
  signal: AbortSignal,
): Promise<WireAnswer> {
  const logIn = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      trial.left();
      throw error;
    });
  const authorization = await logIn(authorizer.prepare(path, signal));
  const request = { method, url, accept, range };
  const answer = await follow(transport, { ...request, authorization }, origin, signal);
  const isRefused = answer.status === 401 || answer.status === 403;
  // Another origin's challenge is nothing to us: what we have is not for it.
  if (!isRefused || answer.url.origin !== origin) return answer;
  // Its headers say all; an unread body would keep its connection, maybe the last one, from the log-in.
  discard(answer);
  const renewed = await logIn(authorizer.renew(answer, authorization, path, signal));
  if (renewed === undefined) return answer;
  return follow(transport, { ...request, authorization: renewed }, origin, signal);
}
