import type { Verdict } from '../verdict/verdict.ts';

/** A verdict, and the way to it. */
export interface Examined {
  /** The name in full, with the tag or digest that was asked for. */
  readonly reference: string;
  /** Where signatures were looked for. */
  readonly places: readonly string[];
  readonly verdict: Verdict;
}
