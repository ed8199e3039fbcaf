import { Buffer } from 'node:buffer';
import { parseSync } from '@swc/core';

/** One thing in the code that is not allowed there. */
export interface Finding {
  readonly line: number;
  readonly what: string;
}

type Node = Readonly<Record<string, unknown>> & { readonly type: string };

/** Members that read a clock or a source of randomness, by the object that has them. */
const timeAndChance: Readonly<Record<string, RegExp>> = {
  Date: /^now$/,
  performance: /^(?:now|timeOrigin)$/,
  process: /^(?:hrtime|uptime)$/,
  Math: /^random$/,
  crypto: /^(?:random.*|getRandomValues)$/,
  webcrypto: /^getRandomValues$/,
};
const chance = /^(?:random(?:Bytes|Fill|FillSync|Int|UUID)|getRandomValues)$/;

/**
 * What oxlint has no rule for: time and randomness outside kernel/clock.ts (`new Date(text)` reads
 * a time and is allowed, `new Date()` reads the clock), default exports, enums, and modules that
 * are loaded in ways that the import table can't see.
 */
export function findForbiddenSyntax(code: string): readonly Finding[] {
  // Spans count bytes over everything that was ever parsed: measured from our own first byte.
  const module = parseSync(`;${code.replace(/^#!/, '//')}`, {
    syntax: 'typescript',
    target: 'es2024',
  });
  const bytes = Buffer.from(code);
  const lineOf = (node: Node): number => {
    const { start } = node['span'] as { readonly start: number };
    const offset = start - module.span.start - 1;
    return bytes.subarray(0, offset).filter((byte) => byte === 0x0a).length + 1;
  };
  const findings: Finding[] = [];
  walk(module, (node) => {
    const what = checks[node.type]?.(node);
    if (what !== undefined) findings.push({ line: lineOf(node), what });
  });
  return findings;
}

const checks: Readonly<Record<string, (node: Node) => string | undefined>> = {
  NewExpression: ({ callee, arguments: given }) =>
    nameOf(callee) === 'Date' && (given as readonly unknown[] | null | undefined)?.length !== 1
      ? 'new Date() without one argument'
      : undefined,
  CallExpression: ({ callee, arguments: given }) => {
    if ((callee as Node).type === 'Import') {
      const [first] = given as readonly { readonly expression: Node }[];
      return first?.expression.type === 'StringLiteral'
        ? 'import()'
        : 'import() of a computed name';
    }
    const name = nameOf(callee);
    return name === 'Date' || name === 'require' ? `${name}()` : undefined;
  },
  MemberExpression: ({ object, property }) => {
    const owner = nameOf(object) ?? '';
    const member = nameOf(property) ?? '';
    if (timeAndChance[owner]?.test(member)) return `${owner}.${member}`;
    return member === 'getBuiltinModule' ? member : undefined;
  },
  ImportSpecifier: ({ local, imported }) => {
    const name = nameOf(imported) ?? nameOf(local) ?? '';
    return chance.test(name) || name === 'createRequire' || name === 'performance'
      ? `import of ${name}`
      : undefined;
  },
  VariableDeclarator: ({ init }) =>
    ['Date', 'performance'].includes(nameOf(init) ?? '') ? `another name for a clock` : undefined,
  ExportDefaultDeclaration: () => 'export default',
  ExportDefaultExpression: () => 'export default',
  ExportSpecifier: ({ exported }) =>
    nameOf(exported) === 'default' ? 'export default' : undefined,
  TsEnumDeclaration: () => 'enum',
};

function nameOf(node: unknown): string | undefined {
  const { type, value } = (node ?? {}) as Partial<Node>;
  return type === 'Identifier' ? String(value) : undefined;
}

function walk(value: unknown, visit: (node: Node) => void): void {
  if (Array.isArray(value)) for (const item of value) walk(item, visit);
  else if (typeof value === 'object' && value !== null) {
    if ('type' in value && typeof value.type === 'string') visit(value as Node);
    for (const part of Object.values(value)) walk(part, visit);
  }
}
