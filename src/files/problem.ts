/** Where something stands in a text, both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** What is wrong in a file that a person wrote, where, and what to do about it. */
export interface Problem {
  readonly at: Position;
  /** Keys from the top, such as `rules[2].require`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

/** `trust.keys["a b"]`: a key behind a path, in quotes where it is no plain word. */
export function keyPath(path: string, key: string): string {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(key)) return `${path}[${JSON.stringify(key.slice(0, 80))}]`;
  return path === '' ? key : `${path}.${key}`;
}

/** One line a problem, in the order of the text: `FILE:LINE:COLUMN: PATH: MESSAGE`. */
export function describeProblems(file: string, problems: readonly Problem[]): readonly string[] {
  return problems
    .toSorted((a, b) => a.at.line - b.at.line || a.at.column - b.at.column)
    .map(({ at, path, message }) => {
      const where = `${file}:${at.line}:${at.column}: `;
      return path === '' ? `${where}${message}` : `${where}${path}: ${message}`;
    });
}
