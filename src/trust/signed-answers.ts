import { abortable } from '../kernel/abort.ts';
import { type AnswerStoreDependencies, type Found, makeAnswerStore } from './answer-store.ts';
import { type Asker, makeAsker } from './ask-source.ts';
import type { FetchBytes } from './fetch-bytes.ts';
import type { Held } from './held-answers.ts';
import { refreshAnswers } from './refresh-answers.ts';
import type { SignedAnswer, SignedSource } from './signed-source.ts';

export interface SignedAnswersDependencies extends AnswerStoreDependencies {
  readonly fetch: FetchBytes;
}

/** Signed answers from memory, from what was kept, or over the network, each verified. */
export interface SignedAnswers {
  /**
   * An answer that holds; an old one only if no newer can be had. `mayAsk` is called before the
   * network is: where it says no, only what is there answers. Rejects where nothing does, and with
   * the signal's reason.
   */
  obtain<T>(
    source: SignedSource<T>,
    mayAsk: () => boolean,
    signal: AbortSignal,
  ): Promise<SignedAnswer<T>>;
  /** Asks anew for some answers in use that grow old, and forgets what ended. Never rejects. */
  refresh(): Promise<void>;
}

export function makeSignedAnswers(dependencies: SignedAnswersDependencies): SignedAnswers {
  const { clock, events, limits } = dependencies;
  const store = makeAnswerStore(dependencies);
  const asker = makeAsker({
    ...dependencies,
    accept: (source, bytes) => store.accept(source, bytes),
  });
  const ageMs = ({ fetchedAt }: Held): number => clock.now().getTime() - fetchedAt.getTime();
  const reuse = ({ held, from }: Found): Held => {
    held.usedAt = clock.now();
    events.reused(held.source.kind, from, ageMs(held) / 1000);
    return held;
  };
  const find = async (
    source: SignedSource<unknown>,
    mayAsk: () => boolean,
    signal: AbortSignal,
  ): Promise<SignedAnswer<unknown>> => {
    const found = await store.find(source);
    if (found !== undefined && ageMs(found.held) < limits.maxAgeMs) return reuse(found);
    try {
      return await askFor(source, asker, mayAsk, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (found === undefined) throw error;
      return reuse(found);
    }
  };
  return {
    // What is found under a source's key was read by that source.
    obtain: <T>(source: SignedSource<T>, mayAsk: () => boolean, signal: AbortSignal) =>
      find(source, mayAsk, signal) as Promise<SignedAnswer<T>>,
    refresh: () => refreshAnswers({ store, asker, ...dependencies }),
  };
}

async function askFor(
  source: SignedSource<unknown>,
  asker: Asker,
  mayAsk: () => boolean,
  signal: AbortSignal,
): Promise<Held> {
  const failure = asker.failureOf(source.key);
  if (failure !== undefined) throw new Error(failure);
  if (!asker.isAsking(source.key) && !mayAsk()) {
    throw new Error('this verification has asked often enough');
  }
  return await abortable(asker.ask(source), signal);
}
