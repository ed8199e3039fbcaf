/** A version by Semantic Versioning 2.0.0; build metadata counts for nothing (section 10). */
export interface SemanticVersion {
  readonly core: readonly [major: bigint, minor: bigint, patch: bigint];
  /** Empty for a release. */
  readonly preRelease: readonly string[];
}

const maxLength = 256;
const number = '0|[1-9]\\d*';
const identifier = `${number}|\\d*[A-Za-z-][0-9A-Za-z-]*`;
const form = new RegExp(
  `^(${number})\\.(${number})\\.(${number})` +
    `(?:-((?:${identifier})(?:\\.(?:${identifier}))*))?` +
    '(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$',
);

/** Sections 2, 9 and 10; undefined for anything else, a `v` before it too. */
export function parseSemanticVersion(text: string): SemanticVersion | undefined {
  if (text.length > maxLength) return undefined;
  const [match, major = '', minor = '', patch = '', preRelease] = form.exec(text) ?? [];
  if (match === undefined) return undefined;
  return {
    core: [BigInt(major), BigInt(minor), BigInt(patch)],
    preRelease: preRelease?.split('.') ?? [],
  };
}

/** Section 11: below 0 where `a` comes before `b`, 0 where neither does. */
export function compareSemanticVersions(a: SemanticVersion, b: SemanticVersion): number {
  for (const [index, own] of a.core.entries()) {
    const other = b.core[index] ?? 0n;
    if (own !== other) return own < other ? -1 : 1;
  }
  return comparePreReleases(a.preRelease, b.preRelease);
}

function comparePreReleases(a: readonly string[], b: readonly string[]): number {
  // A release comes after what was before it.
  if (a.length === 0 || b.length === 0) return b.length - a.length;
  for (const [index, own] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    if (own !== other) return compareIdentifiers(own, other);
  }
  return a.length - b.length;
}

function compareIdentifiers(a: string, b: string): number {
  const [first, second] = [a, b].map((text) => (/^\d+$/.test(text) ? BigInt(text) : undefined));
  if (first !== undefined && second !== undefined) return first < second ? -1 : 1;
  if (first !== undefined) return -1;
  if (second !== undefined) return 1;
  return a < b ? -1 : 1;
}
