/** A line of text and what stands under it. */
export interface Branch {
  readonly text: string;
  readonly branches?: readonly Branch[];
}

/** Draws a tree with lines; the root stands without any. */
export function renderTree(root: Branch): readonly string[] {
  return [root.text, ...renderBranches(root.branches ?? [], '')];
}

function renderBranches(branches: readonly Branch[], indent: string): readonly string[] {
  return branches.flatMap((branch, index) => {
    const last = index === branches.length - 1;
    const head = `${indent}${last ? '└─ ' : '├─ '}${branch.text}`;
    return [head, ...renderBranches(branch.branches ?? [], `${indent}${last ? '   ' : '│  '}`)];
  });
}
