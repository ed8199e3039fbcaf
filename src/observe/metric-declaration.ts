/** What is said of a metric before it has a value. */
export type MetricDeclaration = {
  readonly name: string;
  readonly labels: readonly string[];
  readonly help: string;
} & (Tallied | Stated);

/** Summed over the processes of a host; `first`: each of them counts the same, and one is shown. */
interface Tallied {
  readonly kind: 'counter' | 'histogram';
  readonly over?: 'first';
}

interface Stated {
  readonly kind: 'gauge';
  /** What becomes of the values of several processes: whichever may not be hidden by another. */
  readonly over: 'sum' | 'min' | 'max';
}
