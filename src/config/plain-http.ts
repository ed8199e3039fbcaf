import type { Complain } from './cross-checks.ts';

/** Whether http is permitted, and permitted for something; the key is that of the mapping. */
export function checkPlainHttp(
  url: string | undefined,
  plainHttp: 'allowed' | undefined,
  path: string,
  complain: Complain,
  key = 'url',
): void {
  if (url === undefined) return;
  const isPlain = url.startsWith('http:');
  if (isPlain && plainHttp === undefined) {
    complain(`${path}.${key}`, 'is http: write https, or say plainHttp: allowed beside it');
  }
  if (!isPlain && plainHttp !== undefined) {
    complain(`${path}.plainHttp`, `has no meaning beside an https ${key}: remove it`);
  }
}
