import type { Clock } from '../kernel/clock.ts';
import type { Digest } from '../oci/digest.ts';
import type { Denial } from '../verdict/denial.ts';
import type { Report } from '../verdict/report.ts';
import { type DenialSet, epochOf, isInForce, isSame, noDenials } from './denial-set.ts';
import { type DenyIndex, makeDenyIndex } from './deny-index.ts';
import { UnavailableError } from './gate-error.ts';

/** The deny list as this process knows it, for decisions: nothing here waits. */
export interface DenyList {
  /** Grows with every change that anybody makes to the list, on all replicas alike. */
  epoch(): number;
  /** Another number after each change here: what was decided before may not stand. */
  generation(): number;
  onDigest(digest: Digest): Denial | undefined;
  onRepository(scope: string): Denial | undefined;
  /** By who signed, or by the digest of the signature itself. */
  onReport(report: Pick<Report, 'signer' | 'signature' | 'envelope'>): Denial | undefined;
  readonly hasSigners: () => boolean;
  /** Throws `UnavailableError` for as long as nobody could read the list: it may deny anything. */
  assertKnown(): void;
  isKnown(): boolean;
  /** Those in force now. */
  entries(): readonly Denial[];
  /** Called after each change, until the returned function is called. */
  onChange(listener: () => void): () => void;
}

/** The same, for who keeps it up to date. */
export interface KeptDenyList extends DenyList {
  all(): DenialSet;
  /** Puts another list in force at once; the epoch never goes back. Says whether it is another. */
  replace(denials: DenialSet, epoch: number): boolean;
}

/** `unknown`: until the first `replace` nothing is to be served. */
export function makeDenyList(clock: Clock, at: 'empty' | 'unknown' = 'empty'): KeptDenyList {
  let denials = noDenials;
  let index: DenyIndex = makeDenyIndex(denials, clock);
  let epoch = 0;
  let generation = 0;
  let isKnown = at === 'empty';
  const listeners = new Set<() => void>();
  return {
    epoch: () => epoch,
    generation: () => generation,
    onDigest: (digest) => index.onDigest(digest),
    onRepository: (scope) => index.onRepository(scope),
    onReport({ signer, signature, envelope }) {
      if (index.isEmpty) return undefined;
      const bySigner = signer && index.onSigner(signer);
      return bySigner ?? index.onDigest(signature) ?? (envelope && index.onDigest(envelope.digest));
    },
    hasSigners: () => index.hasSigners,
    assertKnown() {
      if (!isKnown) throw new UnavailableError('UNAVAILABLE', 'the deny list can not be read yet');
    },
    isKnown: () => isKnown,
    entries: () => {
      const now = clock.now();
      return [...denials.values()].filter((denial) => isInForce(denial, now));
    },
    all: () => denials,
    onChange(listener) {
      const told = (): void => listener();
      listeners.add(told);
      return () => void listeners.delete(told);
    },
    replace(next, atLeast) {
      epoch = Math.max(epoch, atLeast, epochOf(next.values()));
      if (isKnown && isSame(denials, next)) return false;
      denials = next;
      index = makeDenyIndex(next, clock);
      isKnown = true;
      generation += 1;
      for (const listener of listeners) listener();
      return true;
    },
  };
}
