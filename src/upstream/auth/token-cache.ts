import { abortable } from '../../kernel/abort.ts';
import { forgetOldest } from '../../kernel/bounded.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Token } from './token.ts';

export interface TokenKey {
  /** Of the upstream. */
  readonly origin: string;
  readonly realm: string;
  readonly service: string | undefined;
  readonly scope: string;
  readonly credentialId: string;
}

/** Tokens by all that they depend on; each is fetched once for all that wait for it. */
export interface TokenCache {
  /**
   * The token's text. `fetch` gets a signal of its own, as a waiter that leaves must not take
   * the others' token away; a token is renewed after 80 % of its life, and if that fails while
   * it still lives, it is used to its end.
   */
  get(
    key: TokenKey,
    fetch: (signal: AbortSignal) => Promise<Token>,
    signal: AbortSignal,
  ): Promise<string>;
  /** Forgets the token if it is still this one: another may have renewed it meanwhile. */
  drop(key: TokenKey, text: string): void;
}

interface Entry {
  readonly text: string;
  readonly renewAtMs: number;
  readonly endsAtMs: number;
}

const renewAfter = 0.8;

export function makeTokenCache(
  clock: Clock,
  { maxTokens = 1000, timeoutMs = 30_000 } = {},
): TokenCache {
  const entries = new Map<string, Entry>();
  const flights = new Map<string, Promise<string>>();

  const remember = (name: string, token: Token): string => {
    const now = clock.monotonicMs();
    const lifeMs = token.lifeSeconds * 1000;
    entries.delete(name);
    entries.set(name, {
      text: token.text,
      renewAtMs: now + lifeMs * renewAfter,
      endsAtMs: now + lifeMs,
    });
    forgetOldest(entries, maxTokens);
    return token.text;
  };
  const renew = async (
    name: string,
    held: Entry | undefined,
    fetch: (signal: AbortSignal) => Promise<Token>,
  ): Promise<string> => {
    try {
      return remember(name, await fetch(AbortSignal.timeout(timeoutMs)));
    } catch (error) {
      if (held === undefined || clock.monotonicMs() >= held.endsAtMs) throw error;
      return held.text;
    }
  };

  return {
    async get(key, fetch, signal) {
      const name = nameOf(key);
      const held = entries.get(name);
      if (held !== undefined && clock.monotonicMs() < held.renewAtMs) return held.text;
      let flight = flights.get(name);
      if (flight === undefined) {
        flight = renew(name, held, fetch).finally(() => flights.delete(name));
        flights.set(name, flight);
      }
      return abortable(flight, signal);
    },
    drop(key, text) {
      const name = nameOf(key);
      if (entries.get(name)?.text === text) entries.delete(name);
    },
  };
}

function nameOf({ origin, realm, service, scope, credentialId }: TokenKey): string {
  return JSON.stringify([origin, realm, service, scope.split(' ').toSorted(), credentialId]);
}
