import type { FetchRequest } from './fetch-bytes.ts';
import type { RevocationKind } from './revocation-events.ts';

/** One signed answer: who may be asked for it, and what makes it believable. */
export interface SignedSource<T> {
  readonly kind: RevocationKind;
  /** The same for the same question to the same issuer, and for no other. */
  readonly key: string;
  /** In order: the first whose answer can be used ends it. */
  readonly requests: readonly FetchRequest[];
  /** Of each request. */
  readonly timeoutMs: number;
  /** Verifies the answer as of `now`; rejects with `EnvelopeError` where it proves nothing. */
  read(untrusted: Uint8Array, now: Date): Promise<SignedAnswer<T>>;
}

export interface SignedAnswer<T> {
  readonly value: T;
  /** Its thisUpdate: of two answers to one question the later one holds. */
  readonly madeAt: Date;
  readonly validUntil: Date;
  /** `passing`: it is told to those who wait now, and to nobody later. */
  readonly keep: 'until-its-end' | 'passing';
}
