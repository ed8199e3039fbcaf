import type { NamedRepository } from './names.ts';

/**
 * The `Link` to the next page (RFC 8288): a path of ours in the form that the client used for the
 * name, never an upstream's.
 */
export function nextPageLink(
  { givenName, givenNamespace }: NamedRepository,
  endpoint: string,
  parameters: readonly (readonly [string, string])[],
): string {
  const namespace = givenNamespace === undefined ? [] : [['ns', givenNamespace] as const];
  const query = [...parameters, ...namespace]
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');
  return `</v2/${givenName}/${endpoint}?${query}>; rel="next"`;
}
