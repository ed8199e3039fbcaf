import { celEnv, type CelResult, isCelError, parse, plan } from '@bufbuild/cel';
import { RE2JS } from 're2js';
import type { Json } from '../kernel/json.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import { type CelShape, shapeOf } from './cel-shape.ts';
import { toCel } from './cel-values.ts';
import { maxPatternLength } from './text-match.ts';

/** What an expression may speak of. */
export const celVariables = ['predicate', 'predicateType', 'subject', 'artifact'] as const;
export type CelVariables = Readonly<Record<(typeof celVariables)[number], Json>>;

/** A `where` that is sound, ready to be held against statements. */
export interface CelCondition {
  readonly shape: CelShape;
  /** Either true or false, or why it could not be worked out. */
  evaluate(variables: CelVariables): boolean | { readonly problem: string };
}

const maxExpressionLength = 2048;
/** A loop in a loop takes the square of what one takes, and no more is ever needed. */
const maxLoopDepth = 2;
const maxLoops = 8;

/** The standard library of CEL (Language Definition, List of Standard Definitions). */
const functions: ReadonlySet<string> = new Set(
  [
    '_==_ _!=_ _<_ _<=_ _>_ _>=_ _&&_ _||_ !_ @not_strictly_false _?_:_ _[_] @in',
    '_+_ _-_ _*_ _/_ _%_ -_ size contains startsWith endsWith matches',
    'bool bytes double dyn duration int string timestamp type uint',
    'getDate getDayOfMonth getDayOfWeek getDayOfYear getFullYear getHours getMilliseconds',
    'getMinutes getMonth getSeconds',
  ].flatMap((names) => names.split(' ')),
);

const typeNames = 'bool bytes double int list map null_type string uint'.split(' ');

const patterns = new Map<string, RE2JS>();
const maxPatterns = 1000;

/** The library compiles a pattern each time that it is used, in a loop for every element. */
function compilePattern(text: string): RE2JS {
  const known = patterns.get(text);
  if (known !== undefined) return known;
  if (patterns.size >= maxPatterns) patterns.clear();
  const pattern = RE2JS.compile(text);
  patterns.set(text, pattern);
  return pattern;
}

const environment = celEnv({
  re2: { compile: (text) => ({ test: (value) => compilePattern(text).test(value) }) },
});

/** Reads an expression and bounds what it can cost; returns what is wrong in place of it. */
export function compileExpression(text: string): CelCondition | { readonly problem: string } {
  if (text.length > maxExpressionLength) {
    return { problem: `is longer than ${maxExpressionLength} characters` };
  }
  let shape: CelShape;
  let run: (variables: Record<string, ReturnType<typeof toCel>>) => CelResult;
  try {
    const parsed = parse(text);
    shape = shapeOf(parsed.expr);
    run = plan(environment, parsed);
  } catch (error) {
    return { problem: `is no CEL: ${messageOf(error).replace('<input>:', '')}` };
  }
  const problem = problemOf(shape);
  if (problem !== undefined) return { problem };
  return { shape, evaluate: (variables) => evaluate(run, shape, variables) };
}

function evaluate(
  run: (variables: Record<string, ReturnType<typeof toCel>>) => CelResult,
  shape: CelShape,
  variables: CelVariables,
): boolean | { readonly problem: string } {
  // Only what it speaks of: a predicate may be large.
  const used = celVariables.filter((name) => shape.variables.has(name));
  const given = Object.fromEntries(used.map((name) => [name, toCel(variables[name])]));
  const result = run(given);
  if (typeof result === 'boolean') return result;
  if (isCelError(result)) return { problem: result.message };
  return { problem: 'it is neither true nor false' };
}

function problemOf(shape: CelShape): string | undefined {
  const known: readonly string[] = [...celVariables, ...typeNames];
  const stranger = [...shape.variables].find((name) => !known.includes(name));
  if (stranger !== undefined) {
    return `speaks of ${stranger}, which is not there; there are ${celVariables.join(', ')}`;
  }
  if (!shape.variables.has('predicate') && !shape.variables.has('subject')) {
    return 'says nothing of the predicate nor of the subject, so it proves nothing';
  }
  const unknown = [...shape.functions].find((name) => !functions.has(name));
  if (unknown !== undefined) return `calls ${unknown}, which is no function of CEL`;
  if (shape.makesMessages) return 'makes a message, and there are none in JSON';
  if (shape.loopDepth > maxLoopDepth) return `has loops nested deeper than ${maxLoopDepth}`;
  if (shape.loops > maxLoops) return `has more than ${maxLoops} loops`;
  return problemOfPatterns(shape.patterns);
}

/** A pattern out of a predicate would be an attacker's. */
function problemOfPatterns(texts: readonly (string | undefined)[]): string | undefined {
  for (const text of texts) {
    if (text === undefined) return 'has a pattern for matches that is no literal';
    if (text.length > maxPatternLength) {
      return `has a pattern longer than ${maxPatternLength} characters`;
    }
    try {
      compilePattern(text);
    } catch (error) {
      return `has a pattern that is none of RE2: ${messageOf(error)}`;
    }
  }
  return undefined;
}
