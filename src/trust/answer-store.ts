import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import { type Held, type HeldAnswers, makeHeldAnswers } from './held-answers.ts';
import { getAnswer, putAnswer, removeEnded, type RevocationCache } from './revocation-cache.ts';
import type { RevocationEvents } from './revocation-events.ts';
import type { RevocationLimits } from './revocation-limits.ts';
import type { SignedSource } from './signed-source.ts';

export interface AnswerStoreDependencies {
  /** Undefined: memory alone. */
  readonly cache?: RevocationCache | undefined;
  readonly clock: Clock;
  readonly events: RevocationEvents;
  readonly limits: RevocationLimits;
}

/** Answers that were verified: in memory, and as signed bytes in what outlives this process. */
export interface AnswerStore {
  /** One that still holds. What was kept is verified again first. */
  find(source: SignedSource<unknown>): Promise<Found | undefined>;
  /** A newer one than this that another process has kept since. */
  newer(than: Held): Promise<Held | undefined>;
  /** Verifies and keeps an answer; rejects where it proves nothing. */
  accept(source: SignedSource<unknown>, bytes: Uint8Array): Promise<Held>;
  all(): readonly Held[];
  forget(key: string): void;
  removeEnded(): Promise<void>;
}

export interface Found {
  readonly held: Held;
  readonly from: 'memory' | 'cache';
}

export function makeAnswerStore(dependencies: AnswerStoreDependencies): AnswerStore {
  const { cache, clock, events, limits } = dependencies;
  const held: HeldAnswers = makeHeldAnswers(limits.maxHeldBytes);
  const hold = async (
    source: SignedSource<unknown>,
    bytes: Uint8Array,
    fetchedAt: Date,
  ): Promise<Held> => {
    const now = clock.now();
    const { value, madeAt, keep, validUntil } = await source.read(bytes, now);
    const known = held.get(source.key);
    // Whoever sits on the way may replay what was said before a certificate was revoked.
    if (known !== undefined && now < known.validUntil && madeAt < known.madeAt) {
      throw new Error('the answer is older than the one that is known');
    }
    const soon = new Date(now.getTime() + limits.failureMs);
    const isShort = keep === 'passing' && soon < validUntil;
    const answer = { value, madeAt, keep, validUntil: isShort ? soon : validUntil };
    const each = { ...answer, source, fetchedAt, byteLength: bytes.length, usedAt: now };
    held.set(each);
    return each;
  };
  const attempt = <T>(work: Promise<T>): Promise<T | undefined> =>
    work.catch((error: unknown) => {
      events.cacheFailed(messageOf(error));
      return undefined;
    });
  return {
    async find(source) {
      const inMemory = held.get(source.key);
      if (inMemory !== undefined && clock.now() < inMemory.validUntil) {
        return { held: inMemory, from: 'memory' };
      }
      const stored = cache && (await attempt(getAnswer(cache, source.key)));
      if (stored === undefined) return undefined;
      // Over, damaged, or not what the issuer signed: as if it were not there.
      const found = await hold(source, stored.bytes, stored.fetchedAt).catch(() => undefined);
      return found && { held: found, from: 'cache' };
    },
    async newer({ source, fetchedAt }) {
      const stored = cache && (await attempt(getAnswer(cache, source.key)));
      const isNewer = stored !== undefined && stored.fetchedAt > fetchedAt;
      if (!isNewer || stored.fetchedAt > clock.now()) return undefined;
      return hold(source, stored.bytes, stored.fetchedAt).catch(() => undefined);
    },
    async accept(source, bytes) {
      const each = await hold(source, bytes, clock.now());
      const { keep, fetchedAt, validUntil } = each;
      if (cache !== undefined && keep === 'until-its-end') {
        await attempt(putAnswer(cache, source.key, { fetchedAt, validUntil, bytes }));
      }
      return each;
    },
    all: () => held.all(),
    forget: (key) => held.delete(key),
    async removeEnded() {
      if (cache !== undefined) await attempt(removeEnded(cache, clock.now()));
    },
  };
}
