import type { Clock } from '../kernel/clock.ts';
import type { Digest } from '../oci/digest.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import type { LookAgain } from './look-again.ts';
import { makeRecent } from './recent.ts';

/**
 * What an upstream did not have a moment ago. Kept apart from what exists, so that names that
 * somebody invents push out nothing but each other.
 */
export interface Absences {
  note(kind: AbsentKind, repository: Repository, digest: Digest): void;
  /** Whether it was absent so lately that nobody need ask again. */
  isKnown(kind: AbsentKind, repository: Repository, digest: Digest): boolean;
}

/** `unlisted`: a blob that is there, and that no admitted manifest lists. */
export type AbsentKind = 'manifest' | 'blob' | 'unlisted';

const maxRemembered = 20_000;

export function makeAbsences(
  absentMs: number,
  { clock, lookAgain }: { readonly clock: Clock; readonly lookAgain: LookAgain },
): Absences {
  const seen = makeRecent<Date>(maxRemembered);
  return {
    note: (kind, repository, digest) =>
      seen.set(`${kind} ${nameOf(repository, digest)}`, clock.now()),
    isKnown(kind, repository, digest) {
      const name = nameOf(repository, digest);
      const at = seen.get(`${kind} ${name}`);
      if (at === undefined) return false;
      const since = lookAgain.since(scopeOf(repository), name);
      if (since !== undefined && at < since) return false;
      const ageMs = clock.now().getTime() - at.getTime();
      return ageMs >= 0 && ageMs < absentMs;
    },
  };
}

function nameOf(repository: Repository, digest: Digest): string {
  return `${scopeOf(repository)}@${digest}`;
}
