import { quoted } from '../kernel/quoted.ts';
import type { Condition } from './conditions/condition.ts';
import { type Place, readText, type ReportProblem } from './document-reader.ts';

/** What rules may refer to. */
export interface Known {
  /** Names under `identities:`, also of those that do not load. */
  readonly identities: ReadonlySet<string>;
  /** What a CEL expression costs, or what is wrong with it; undefined without any in the policy. */
  readonly checkExpression?: (text: string) => ExpressionCost | { readonly problem: string };
}

export function readIdentityName(
  place: Place,
  { identities }: Known,
  report: ReportProblem,
): string | undefined {
  const name = readText(place, report);
  if (name === undefined || identities.has(name)) return name;
  const known = [...identities].slice(0, 10).map((other) => quoted(other));
  const what = known.length === 0 ? 'there are none' : `there are ${known.join(', ')}`;
  return report(place, `no identity has the name ${quoted(name)}; ${what}`);
}

export type ExpressionCost = Pick<
  Extract<Condition, { readonly name: 'where' }>,
  'loops' | 'patterns'
>;
