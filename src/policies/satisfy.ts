import { claimOf, isLeaf, signerOf } from './leaf.ts';
import type { Leaf, Requirement } from './policy.ts';
import { membersOf } from './requirement.ts';

/** Which keys prove which claim (see `claimOf`). A proof is one identity by one key. */
export type Proofs = ReadonlyMap<string, ReadonlySet<string>>;

/** `unknown`: the search was given up, after more steps than any sane policy needs. */
export type Satisfaction = 'met' | 'not-met' | 'unknown';

const maxSteps = 10_000;

/**
 * Whether the proofs meet a requirement. A leaf needs one proof; `allOf` and `anyOf` are what
 * they say; `atLeast` needs so many members that are met by proofs of which no two share an
 * identity or a key, so that one signature never counts for two.
 */
export function satisfy(requirement: Requirement, proofs: Proofs): Satisfaction {
  // At the top and under allOf and anyOf no proof is used up, so each member stands alone.
  if (isLeaf(requirement)) {
    return (proofs.get(claimOf(requirement))?.size ?? 0) > 0 ? 'met' : 'not-met';
  }
  const members = membersOf(requirement).map((member) => satisfy(member, proofs));
  if ('allOf' in requirement) return firstOf(['not-met', 'unknown', 'met'], members);
  if ('anyOf' in requirement) return firstOf(['met', 'unknown', 'not-met'], members);
  const { count, of } = requirement.atLeast;
  // Necessary, cheap, and the usual reason for a no.
  if (members.filter((member) => member !== 'not-met').length < count) return 'not-met';
  const leaves = of.filter(isLeaf);
  if (leaves.length < of.length) return new Search(proofs).satisfy(requirement);
  return pairs(keysBySigner(leaves, proofs)) >= count ? 'met' : 'not-met';
}

/** The first of `order` that is among some answers, of which there is at least one. */
function firstOf(
  order: readonly [Satisfaction, Satisfaction, Satisfaction],
  answers: readonly Satisfaction[],
): Satisfaction {
  const [decisive, open, otherwise] = order;
  if (answers.includes(decisive)) return decisive;
  return answers.includes(open) ? open : otherwise;
}

/** The keys by which each identity has proven any of the leaves: it counts once, for whichever. */
function keysBySigner(leaves: readonly Leaf[], proofs: Proofs): Proofs {
  const keys = new Map<string, Set<string>>();
  for (const leaf of leaves) {
    const signer = signerOf(leaf);
    const known = keys.get(signer) ?? new Set();
    for (const key of proofs.get(claimOf(leaf)) ?? []) known.add(key);
    keys.set(signer, known);
  }
  return keys;
}

/** The most identities that can be given a key each of their own (augmenting paths). */
function pairs(keysOf: Proofs): number {
  const takenBy = new Map<string, string>();
  const give = (identity: string, seen: Set<string>): boolean => {
    for (const key of keysOf.get(identity) ?? []) {
      if (seen.has(key)) continue;
      seen.add(key);
      const holder = takenBy.get(key);
      if (holder === undefined || give(holder, seen)) {
        takenBy.set(key, identity);
        return true;
      }
    }
    return false;
  };
  return [...keysOf.keys()].filter((identity) => give(identity, new Set())).length;
}

/** Identities and keys of some proofs. */
interface Used {
  readonly identities: ReadonlySet<string>;
  readonly keys: ReadonlySet<string>;
}

type Continue = (used: Used) => boolean;

const nothing: Used = { identities: new Set(), keys: new Set() };

/** Tries every choice of proofs in turn, for members that are themselves composed. */
class Search {
  readonly #proofs: Proofs;
  #steps = 0;

  constructor(proofs: Proofs) {
    this.#proofs = proofs;
  }

  satisfy(requirement: Requirement): Satisfaction {
    if (this.#meet(requirement, nothing, nothing, () => true)) return 'met';
    return this.#steps > maxSteps ? 'unknown' : 'not-met';
  }

  /** Meets it without what is `barred`, adds to `used`, and goes on; false: try otherwise. */
  #meet(requirement: Requirement, barred: Used, used: Used, next: Continue): boolean {
    this.#steps += 1;
    if (this.#steps > maxSteps) return false;
    if (isLeaf(requirement)) return this.#prove(requirement, barred, used, next);
    const members = membersOf(requirement);
    if ('anyOf' in requirement) {
      return members.some((member) => this.#meet(member, barred, used, next));
    }
    if ('allOf' in requirement) return this.#all(members, 0, barred, used, next);
    const { count } = requirement.atLeast;
    return this.#choose(members, 0, count, barred, used, next);
  }

  #prove(leaf: Leaf, barred: Used, used: Used, next: Continue): boolean {
    const identity = signerOf(leaf);
    if (barred.identities.has(identity)) return false;
    for (const key of this.#proofs.get(claimOf(leaf)) ?? []) {
      if (barred.keys.has(key)) continue;
      const proof = { identities: new Set([identity]), keys: new Set([key]) };
      if (next(join(used, proof))) return true;
    }
    return false;
  }

  #all(
    members: readonly Requirement[],
    index: number,
    barred: Used,
    used: Used,
    next: Continue,
  ): boolean {
    const member = members[index];
    if (member === undefined) return next(used);
    return this.#meet(member, barred, used, (more) =>
      this.#all(members, index + 1, barred, more, next),
    );
  }

  /** Takes or leaves each member; what one used is barred for the others. */
  #choose(
    members: readonly Requirement[],
    index: number,
    count: number,
    barred: Used,
    used: Used,
    next: Continue,
  ): boolean {
    if (count === 0) return next(used);
    const member = members[index];
    if (member === undefined || members.length - index < count) return false;
    const taken = this.#meet(member, barred, nothing, (own) =>
      this.#choose(members, index + 1, count - 1, join(barred, own), join(used, own), next),
    );
    return taken || this.#choose(members, index + 1, count, barred, used, next);
  }
}

function join(one: Used, other: Used): Used {
  return {
    identities: new Set([...one.identities, ...other.identities]),
    keys: new Set([...one.keys, ...other.keys]),
  };
}
