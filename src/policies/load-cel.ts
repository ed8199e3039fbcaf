import type { compileExpression } from './cel-expression.ts';

/** CEL takes a tenth of a second to load, which only policies with expressions are to pay. */
export async function loadCel(): Promise<{ readonly compileExpression: typeof compileExpression }> {
  return await import('./cel-expression.ts');
}
