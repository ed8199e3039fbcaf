export type Labels = Readonly<Record<string, string>>;

/** One thing for each combination of labels, found at every request without building a key. */
export interface ByLabels<T> {
  /** Made when it is first asked for. */
  of(labels: Labels): T;
  all(): readonly T[];
}

export function makeByLabels<T>(
  labelNames: readonly string[],
  make: (labels: Labels) => T,
): ByLabels<T> {
  const made: T[] = [];
  return {
    of: finderOf(labelNames, (labels) => {
      const value = make({ ...labels });
      made.push(value);
      return value;
    }),
    all: () => made,
  };
}

/** A map by the first label's values, of finders by the rest. */
function finderOf<T>(
  [name, ...rest]: readonly string[],
  make: (labels: Labels) => T,
): (labels: Labels) => T {
  if (name === undefined) {
    let only: { readonly value: T } | undefined;
    return (labels) => (only ??= { value: make(labels) }).value;
  }
  const finders = new Map<string | undefined, (labels: Labels) => T>();
  return (labels) => {
    const value = labels[name];
    let find = finders.get(value);
    if (find === undefined) {
      find = finderOf(rest, make);
      finders.set(value, find);
    }
    return find(labels);
  };
}
