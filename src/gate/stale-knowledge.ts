import { forgetOldest } from '../kernel/bounded.ts';
import type { Clock } from '../kernel/clock.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import { refusal } from '../verdict/refusal.ts';
import type { Verdict } from '../verdict/verdict.ts';
import { refuse, withWarnings } from './admission.ts';
import type { MadeGate } from './gate.ts';
import type { Admission } from './trusted-content.ts';

/** What is to be said of how old the knowledge of revocations is; undefined: nothing. */
export interface Staleness {
  readonly serving: 'warned' | 'refused';
  /** A few words with the age. */
  readonly because: string;
}

const maxRefusals = 1_000;

/** A gate that warns of what rests on old knowledge, and refuses what rests on too old. */
export function withStaleness(
  gate: MadeGate,
  stalenessOf: (repository: Repository) => Staleness | undefined,
  clock: Clock,
): MadeGate {
  const refusals = new Map<string, Verdict>();
  const warningsIn = (repository: Repository): readonly string[] => {
    const staleness = stalenessOf(repository);
    if (staleness === undefined) return [];
    const { serving, because } = staleness;
    if (serving === 'warned') return [because];
    const scope = scopeOf(repository);
    const why = { reason: 'revocation-stale', because } as const;
    const verdict = refusal({ scope, subject: undefined, ...why }, clock.now());
    refusals.set(verdict.id, verdict);
    forgetOldest(refusals, maxRefusals);
    return refuse([verdict]);
  };
  const warned = async <T extends { readonly admission: Admission }>(
    repository: Repository,
    admit: () => Promise<T>,
  ): Promise<T> => {
    const warnings = warningsIn(repository);
    return withWarnings(await admit(), warnings);
  };
  return {
    ...gate,
    // What is at hand is there for speed: whoever has to be warned is answered the other way.
    manifestAtHand: (repository, reference) =>
      stalenessOf(repository) === undefined
        ? gate.manifestAtHand(repository, reference)
        : undefined,
    blobAtHand: (repository, digest) =>
      stalenessOf(repository) === undefined ? gate.blobAtHand(repository, digest) : undefined,
    admitManifest: (repository, reference, signal) =>
      warned(repository, () => gate.admitManifest(repository, reference, signal)),
    admitBlob: (repository, digest, signal) =>
      warned(repository, () => gate.admitBlob(repository, digest, signal)),
    async admitReferrers(repository, digest, signal) {
      warningsIn(repository);
      return gate.admitReferrers(repository, digest, signal);
    },
    async listTags(repository, query, signal) {
      warningsIn(repository);
      return gate.listTags(repository, query, signal);
    },
    verdictById: async (id) => refusals.get(id) ?? (await gate.verdictById(id)),
  };
}
