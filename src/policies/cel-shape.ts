import type { parse } from '@bufbuild/cel';

export type CelExpression = ReturnType<typeof parse>['expr'];
type Kind = CelExpression['exprKind'];
type Loop = Extract<Kind, { readonly case: 'comprehensionExpr' }>['value'];

/** What can be told of an expression without working it out. */
export interface CelShape {
  /** Names that nothing in the expression binds. */
  readonly variables: ReadonlySet<string>;
  /** Functions and operators that it calls. */
  readonly functions: ReadonlySet<string>;
  /** Patterns of `matches`; undefined for one that is no literal. */
  readonly patterns: readonly (string | undefined)[];
  /** Loops (`all`, `exists`, `exists_one`, `map`, `filter`). */
  readonly loops: number;
  /** How deep loops stand in the bodies of others; 0 without any. */
  readonly loopDepth: number;
  /** Whether it makes messages, which JSON does not have. */
  readonly makesMessages: boolean;
  /** Fields that it reads, such as `predicate.builder.id`, in order of mention. */
  readonly paths: readonly (readonly string[])[];
}

interface Notes {
  readonly variables: Set<string>;
  readonly functions: Set<string>;
  readonly patterns: (string | undefined)[];
  readonly paths: (readonly string[])[];
  loops: number;
  loopDepth: number;
  makesMessages: boolean;
}

interface Within {
  readonly bound: ReadonlySet<string>;
  readonly depth: number;
}

export function shapeOf(expression: CelExpression): CelShape {
  const notes: Notes = {
    variables: new Set(),
    functions: new Set(),
    patterns: [],
    paths: [],
    loops: 0,
    loopDepth: 0,
    makesMessages: false,
  };
  visit(expression, { bound: new Set(), depth: 0 }, notes);
  return notes;
}

function visit(expression: CelExpression | undefined, within: Within, notes: Notes): void {
  const kind = expression?.exprKind;
  if (expression === undefined || kind === undefined) return;
  const path = pathOf(expression);
  if (path !== undefined) notePath(path, within, notes);
  else if (kind.case === 'comprehensionExpr') visitLoop(kind.value, within, notes);
  else {
    noteKind(kind, notes);
    for (const part of partsOf(kind)) visit(part, within, notes);
  }
}

function noteKind(kind: Kind, notes: Notes): void {
  if (kind.case === 'structExpr' && kind.value.messageName !== '') notes.makesMessages = true;
  if (kind.case !== 'callExpr') return;
  const { function: name, args } = kind.value;
  notes.functions.add(name);
  if (name === 'matches') notes.patterns.push(literalOf(args.at(-1)));
}

function partsOf(kind: Kind): readonly (CelExpression | undefined)[] {
  if (kind.case === 'selectExpr') return [kind.value.operand];
  if (kind.case === 'listExpr') return kind.value.elements;
  if (kind.case === 'callExpr') return [kind.value.target, ...kind.value.args];
  if (kind.case !== 'structExpr') return [];
  return kind.value.entries.flatMap(({ keyKind, value }) => [
    keyKind.case === 'mapKey' ? keyKind.value : undefined,
    value,
  ]);
}

/** `a.b.c` as `[a, b, c]`; undefined where it does not begin with a name. */
function pathOf({ exprKind }: CelExpression): readonly string[] | undefined {
  if (exprKind.case === 'identExpr') return [exprKind.value.name];
  if (exprKind.case !== 'selectExpr' || exprKind.value.operand === undefined) return undefined;
  const start = pathOf(exprKind.value.operand);
  return start && [...start, exprKind.value.field];
}

function notePath(path: readonly string[], { bound }: Within, notes: Notes): void {
  const [name = ''] = path;
  if (bound.has(name)) return;
  notes.variables.add(name);
  notes.paths.push(path);
}

function literalOf(expression: CelExpression | undefined): string | undefined {
  const kind = expression?.exprKind;
  const literal = kind?.case === 'constExpr' ? kind.value.constantKind : undefined;
  return literal?.case === 'stringValue' ? literal.value : undefined;
}

function visitLoop(loop: Loop, { bound, depth }: Within, notes: Notes): void {
  notes.loops += 1;
  notes.loopDepth = Math.max(notes.loopDepth, depth + 1);
  visit(loop.iterRange, { bound, depth }, notes);
  visit(loop.accuInit, { bound, depth }, notes);
  const inside = {
    bound: new Set([...bound, loop.iterVar, loop.iterVar2, loop.accuVar]),
    depth: depth + 1,
  };
  visit(loop.loopCondition, inside, notes);
  visit(loop.loopStep, inside, notes);
  visit(loop.result, inside, notes);
}
