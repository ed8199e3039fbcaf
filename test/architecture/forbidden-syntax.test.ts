import t from 'tap';
import { findForbiddenSyntax } from './forbidden-syntax.ts';

const forbidden: readonly (readonly [code: string, what: string])[] = [
  ['export const a = new Date();', 'new Date() without one argument'],
  ['export const a = new Date;', 'new Date() without one argument'],
  ['export const a = new Date(2030, 1, 1);', 'new Date() without one argument'],
  ['export const a = Date();', 'Date()'],
  ['export const a = Date.now();', 'Date.now'],
  ['export const a = { now: Date.now };', 'Date.now'],
  ['const { now } = Date;\nexport { now };', 'another name for a clock'],
  ['const Clock = Date;\nexport { Clock };', 'another name for a clock'],
  ['export const a = Math.random();', 'Math.random'],
  ['export const a = performance.now();', 'performance.now'],
  ['export const a = process.hrtime.bigint();', 'process.hrtime'],
  ['export const a = crypto.randomUUID();', 'crypto.randomUUID'],
  [
    `import { randomBytes } from 'node:crypto';\nexport const a = randomBytes;`,
    'import of randomBytes',
  ],
  [`import { randomUUID as id } from 'node:crypto';\nexport const a = id;`, 'import of randomUUID'],
  [
    `import { performance } from 'node:perf_hooks';\nexport { performance };`,
    'import of performance',
  ],
  [
    `import { createRequire } from 'node:module';\nexport { createRequire };`,
    'import of createRequire',
  ],
  [`export const a = require('fs');`, 'require()'],
  [`export const a = process.getBuiltinModule('fs');`, 'getBuiltinModule'],
  [`export class A { static b = async () => import('./b.ts'); }`, 'import()'],
  ['export const a = (b: string) => import(b);', 'import() of a computed name'],
  ['export default 1;', 'export default'],
  ['export default function a() {}', 'export default'],
  ['const a = 1;\nexport { a as default };', 'export default'],
  ['export enum A { b }', 'enum'],
];

t.test('what is forbidden is found, wherever it stands', async (t) => {
  for (const [code, what] of forbidden) {
    t.strictSame(
      findForbiddenSyntax(code).map((finding) => finding.what),
      [what],
      code,
    );
  }
});

t.test('what only looks like it is allowed', async (t) => {
  const allowed = [
    `export const a = new Date('2030-01-01T00:00:00Z');`,
    'export const a = (b: Date): Date => new Date(b.getTime() + 1);',
    'export const a = (b: unknown): boolean => b instanceof Date;',
    `export const a = Date.parse('2030-01-01');`,
    'export const a = (clock: { now(): Date }): Date => clock.now();',
    '// new Date() in a comment\nexport const a = "Date.now()";',
    'export const a = Math.max(1, 2);',
    `import { randomHex } from '../kernel/clock.ts';\nexport const a = randomHex(4);`,
    'export type A = Date;',
  ];
  for (const code of allowed) t.strictSame(findForbiddenSyntax(code), [], code);
});

t.test('a finding names its line, also after letters of several bytes', async (t) => {
  const code = `export const a = 'ä…';\n\n// ö\nexport const b = Date.now();\n`;
  t.strictSame(findForbiddenSyntax(code), [{ line: 4, what: 'Date.now' }]);
  t.strictSame(findForbiddenSyntax(code), [{ line: 4, what: 'Date.now' }], 'the second time too');
});
