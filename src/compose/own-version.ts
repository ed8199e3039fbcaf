import { readFileSync } from 'node:fs';

/** Of Assay, from package.json, two folders above both `src/compose` and `dist/compose`. */
export function ownVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
