import { readFileSync, writeFileSync } from 'node:fs';
import type { Test } from 'tap';

const repository = new URL('../../', import.meta.url);

/**
 * Asserts that a committed file holds exactly this text; `npm run golden` writes it instead.
 * `path` is relative to the repository.
 */
export function matchesGolden(t: Test, path: string, text: string): void {
  const file = new URL(path, repository);
  const lines = text.endsWith('\n') ? text : `${text}\n`;
  if (process.env['ASSAY_GOLDEN'] === 'rewrite') writeFileSync(file, lines);
  t.equal(lines, readGolden(file), `${path} is up to date (npm run golden)`);
}

function readGolden(file: URL): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
