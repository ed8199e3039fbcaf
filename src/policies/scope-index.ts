import { matchesGlob, type ScopePattern, type SegmentPattern } from './scope.ts';

/** Many patterns at once: which of them, by number, match a scope. */
export interface ScopeIndex {
  /** Ascending, each once. */
  matching(scope: string): readonly number[];
  /**
   * Those that match whatever the given pattern matches; ascending, each once. May leave out one
   * that does so in a roundabout way.
   */
  covering(narrow: ScopePattern): readonly number[];
}

interface TreeNode {
  readonly literals: Map<string, TreeNode>;
  readonly globs: Map<string, { readonly parts: readonly string[]; readonly next: TreeNode }>;
  deep: TreeNode | undefined;
  /** Reached by `**`, so it stays reached for as many segments as there are. */
  readonly repeats: boolean;
  readonly ends: number[];
}

/**
 * A tree of segments: the cost of a look-up follows the patterns that begin like the scope, not
 * the number of patterns.
 */
export function makeScopeIndex(patterns: Iterable<readonly [ScopePattern, number]>): ScopeIndex {
  const root = makeNode(false);
  for (const [{ segments }, id] of patterns) {
    segments.reduce(descend, root).ends.push(id);
  }
  return {
    matching: (scope) => {
      const segments = scope.split('/').map((text) => ({ kind: 'literal', text }) as const);
      return endsBehind(root, segments);
    },
    covering: ({ segments }) => endsBehind(root, segments),
  };
}

function endsBehind(root: TreeNode, segments: readonly SegmentPattern[]): readonly number[] {
  let reached: ReadonlySet<TreeNode> = new Set([root]);
  for (const segment of segments) reached = step(reached, segment);
  const ids = new Set([...reached].flatMap((node) => node.ends));
  return [...ids].toSorted((a, b) => a - b);
}

function makeNode(repeats: boolean): TreeNode {
  return { literals: new Map(), globs: new Map(), deep: undefined, repeats, ends: [] };
}

function descend(node: TreeNode, segment: SegmentPattern): TreeNode {
  if (segment.kind === 'deep') return (node.deep ??= makeNode(true));
  if (segment.kind === 'literal') {
    const next = node.literals.get(segment.text) ?? makeNode(false);
    node.literals.set(segment.text, next);
    return next;
  }
  const { next } = node.globs.get(segment.text) ?? { next: makeNode(false) };
  node.globs.set(segment.text, { parts: segment.parts, next });
  return next;
}

function step(reached: ReadonlySet<TreeNode>, segment: SegmentPattern): ReadonlySet<TreeNode> {
  const next = new Set<TreeNode>();
  for (const node of reached) {
    if (segment.kind === 'literal') {
      const literal = node.literals.get(segment.text);
      if (literal !== undefined) next.add(literal);
    }
    for (const [text, glob] of node.globs) {
      if (isWithinGlob(segment, text, glob.parts)) next.add(glob.next);
    }
    if (node.deep !== undefined) next.add(node.deep);
    if (node.repeats) next.add(node);
  }
  return next;
}

function isWithinGlob(segment: SegmentPattern, text: string, parts: readonly string[]): boolean {
  if (segment.kind === 'literal') return matchesGlob(parts, segment.text);
  return segment.kind === 'glob' && (text === '*' || text === segment.text);
}
