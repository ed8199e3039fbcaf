import type { TrustedTime } from '../../trust/trusted-time.ts';

/** A log or a timestamp authority of the trusted root that has seen the signature. */
export interface Witness {
  /** For a person. */
  readonly name: string;
  /** Two witnesses of one operator count as one. */
  readonly operator: string;
  /** When it saw it; undefined of a log that states no time that could be believed. */
  readonly instant?: Date;
  /** The same with its accuracy. */
  readonly time?: TrustedTime;
}

export function countOperators(witnesses: readonly Witness[]): number {
  return new Set(witnesses.map(({ operator }) => operator)).size;
}

export function instantsOf(witnesses: readonly Witness[]): readonly Date[] {
  return witnesses.flatMap(({ instant }) => instant ?? []);
}
