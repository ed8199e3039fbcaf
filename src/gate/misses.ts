import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '../kernel/clock.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { ContentSource } from '../upstream/content-source.ts';
import { DeniedError, NotFoundError, OverLimitError, UnavailableError } from './gate-error.ts';
import { type HeldToken, makeMissBucket, type MissBucket, type MissLimits } from './miss-bucket.ts';
import { makeRecent } from './recent.ts';

/**
 * Who pays for the questions that an upstream is asked in vain: each client from a bucket of its
 * own, so that nobody uses up what upstreams allow all of us by asking for names that they invent.
 */
export interface Misses {
  /**
   * Does a client's work. Where it asked an upstream and ended in "does not exist", in a denial, or
   * without anybody waiting for it any more, it is charged; where it ended well, or nothing could
   * be found out, it is not. The work rejects with `OverLimitError` where there is nothing left.
   * A name that was asked for in vain before is charged to a bucket of its own: who pulls what is
   * denied again and again, as nodes do, has what is for new names left for those.
   */
  payFor<T>(payment: Payment, work: () => Promise<T>): Promise<T>;
  /** Before an upstream may be asked; undefined: go on. Throws or rejects with `OverLimitError`. */
  readonly toll: () => Promise<void> | undefined;
  /** What is under way here is not charged, however it ends. */
  waive(): void;
  /** The source, whose every question about a name is paid for by whom it is asked for. */
  paidFor(source: ContentSource): ContentSource;
}

export interface Payment {
  readonly client: string;
  /** What is asked for: the same text for the same thing. */
  readonly name: string;
  /** Aborts when the client is gone. */
  readonly waiting: AbortSignal;
}

interface Payer {
  hold(): HeldToken | Promise<HeldToken>;
  token: HeldToken | Promise<HeldToken> | undefined;
  hasAsked: boolean;
  isWaived: boolean;
  /** What goes on afterwards, in the background, is nobody's. */
  isDone: boolean;
}

const maxClients = 20_000;
const maxNames = 20_000;

export function makeMisses(
  limits: MissLimits,
  { clock, metrics }: { readonly clock: Clock; readonly metrics: Metrics },
): Misses {
  const buckets = makeBuckets(limits, clock);
  // Whom a question is asked for is known to the one who answers requests and needed by the one who
  // asks upstreams; everything between them would only pass it on, flights of many among it.
  const payers = new AsyncLocalStorage<Payer>();

  const toll = (): Promise<void> | undefined => {
    const payer = payers.getStore();
    if (payer === undefined || payer.isDone) return undefined;
    payer.token ??= payer.hold();
    return payer.token instanceof Promise ? paid(payer, payer.token) : undefined;
  };
  const charged = async <T>(ask: () => Promise<T>): Promise<T> => {
    const waiting = toll();
    if (waiting !== undefined) await waiting;
    const payer = payers.getStore();
    if (payer !== undefined) payer.hasAsked = true;
    return ask();
  };

  return {
    async payFor(payment, work) {
      const { name, waiting } = payment;
      const payer = makePayer(() => buckets.of(payment).hold(waiting));
      try {
        const result = await payers.run(payer, work);
        settle(payer, false);
        buckets.noteServed(name);
        return result;
      } catch (error) {
        const isCharged = payer.hasAsked && !payer.isWaived && isInVain(error, waiting);
        if (isCharged) {
          metrics.count('assay_failed_misses_total', {});
          buckets.noteInVain(name);
        }
        settle(payer, isCharged);
        throw error;
      }
    },
    toll,
    waive() {
      const payer = payers.getStore();
      if (payer !== undefined) payer.isWaived = true;
    },
    paidFor: (source) => ({
      ...source,
      resolveTag: (...args) => charged(() => source.resolveTag(...args)),
      fetchManifest: (...args) => charged(() => source.fetchManifest(...args)),
      statBlob: (...args) => charged(() => source.statBlob(...args)),
      listTags: (...args) => charged(() => source.listTags(...args)),
      listReferrers: (...args) => charged(() => source.listReferrers(...args)),
    }),
  };
}

/** Two of each client: for names that are new, and for those that were asked for in vain before. */
function makeBuckets(limits: MissLimits, clock: Clock) {
  const forNew = makeRecent<MissBucket>(maxClients);
  const forKnown = makeRecent<MissBucket>(maxClients);
  const askedInVain = makeRecent<true>(maxNames);
  return {
    /** Made for those alone who ask upstreams: the others push out nobody's. */
    of({ client, name }: Payment): MissBucket {
      const buckets = askedInVain.get(name) === true ? forKnown : forNew;
      const known = buckets.get(client);
      if (known !== undefined) return known;
      const made = makeMissBucket(limits, clock);
      buckets.set(client, made);
      return made;
    },
    noteInVain: (name: string): void => askedInVain.set(name, true),
    noteServed: (name: string): void => askedInVain.delete(name),
  };
}

function makePayer(hold: Payer['hold']): Payer {
  return { hold, token: undefined, hasAsked: false, isWaived: false, isDone: false };
}

async function paid(payer: Payer, token: Promise<HeldToken>): Promise<void> {
  const held = await token;
  // Its request may have ended while this waited.
  if (payer.isDone) held.giveBack();
  else payer.token = held;
}

function settle(payer: Payer, isCharged: boolean): void {
  const { token } = payer;
  payer.isDone = true;
  if (token === undefined || token instanceof Promise) return;
  if (isCharged) token.spend();
  else token.giveBack();
}

/** Whether the name led to nothing, as far as the asker let it be found out. */
function isInVain(error: unknown, waiting: AbortSignal): boolean {
  if (error instanceof NotFoundError || error instanceof DeniedError) return true;
  // Some registries answer so for every name that they do not have.
  if (error instanceof UnavailableError) return isUnauthorized(error.cause);
  return waiting.aborted && !(error instanceof OverLimitError);
}

function isUnauthorized(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'UPSTREAM_UNAUTHORIZED';
}

/** Nobody is charged for anything. */
export const freeMisses: Misses = {
  payFor: (_payment, work) => work(),
  toll: () => undefined,
  waive: () => undefined,
  paidFor: (source) => source,
};
