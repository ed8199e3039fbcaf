import { quotedUrl } from '../kernel/quoted.ts';
import { listHeaderOf } from './header.ts';
import type { WireAnswer } from './http.ts';
import { UpstreamError } from './upstream-error.ts';

const maxLinkLength = 8192;

/**
 * The next page that a Link header names (RFC 8288, `rel="next"`), which must keep the origin
 * and begin with the path of the repository; undefined on the last page.
 */
export function nextPage(
  answer: Pick<WireAnswer, 'headers' | 'url'>,
  pathPrefix: string,
): URL | undefined {
  const header = listHeaderOf(answer, 'link');
  if (header === undefined) return undefined;
  const target = parseNextLink(header);
  if (target === undefined) return undefined;
  const url = /^[\x21-\x7e]+$/.test(target) ? URL.parse(target, answer.url.href) : null;
  const keeps =
    url !== null &&
    url.origin === answer.url.origin &&
    url.username === '' &&
    url.password === '' &&
    // An escaped slash or dot would leave the prefix once somebody decodes it.
    !url.pathname.includes('%') &&
    url.pathname.startsWith(pathPrefix);
  if (!keeps || target.includes('\\')) {
    throw new UpstreamError(
      'UPSTREAM_LEADS_ASTRAY',
      `its next page is not under ${pathPrefix}: ${quotedUrl(target)}`,
    );
  }
  url.hash = '';
  return url;
}

const link =
  /[ \t,]*<([^<>]*)>((?:[ \t]*;[ \t]*[A-Za-z0-9!#$&+.^_`|~*-]+(?:[ \t]*=[ \t]*(?:"[^"\\]*"|[^\s",;]+))?)*)[ \t]*(?:,|$)/y;
const relation = /;[ \t]*rel[ \t]*=[ \t]*(?:"([^"]*)"|([^\s",;]+))/i;

/** The target of the one link of relation `next`. Throws for what is no Link header. */
export function parseNextLink(header: string): string | undefined {
  const targets: string[] = [];
  link.lastIndex = 0;
  while (header.length <= maxLinkLength && link.lastIndex < header.length) {
    const match = link.exec(header);
    if (match === null) throw misbehaved('a Link header that can not be read');
    const [, target = '', parameters = ''] = match;
    const [, quotedNames, name] = relation.exec(parameters) ?? [];
    const relations = (quotedNames ?? name ?? '').toLowerCase().split(/[ \t]+/);
    if (relations.includes('next')) targets.push(target);
  }
  if (header.length > maxLinkLength) throw misbehaved('a Link header that is too long');
  if (targets.length > 1) throw misbehaved('several next pages');
  return targets[0];
}

export interface PageLimits {
  readonly maxPages: number;
  /** What `fetch` rejects with stays as it is; this is for pages that never end. */
  readonly what: string;
}

/**
 * Fetches pages until there is no next one or `fetch` says that it has enough. Each URL is asked
 * once; a link to an earlier page, or one page too many, is an error and not the end.
 */
export async function eachPage(
  first: URL,
  pathPrefix: string,
  { maxPages, what }: PageLimits,
  fetch: (url: URL) => Promise<Pick<WireAnswer, 'headers' | 'url'> | 'enough'>,
): Promise<void> {
  const asked = new Set<string>();
  for (let url: URL | undefined = first; url !== undefined;) {
    if (asked.has(url.href)) throw misbehaved(`pages of ${what} that lead in a circle`);
    if (asked.size === maxPages) {
      throw new UpstreamError('UPSTREAM_TOO_LARGE', `has more than ${maxPages} pages of ${what}`);
    }
    asked.add(url.href);
    const answer = await fetch(url);
    if (answer === 'enough') return;
    url = nextPage(answer, pathPrefix);
  }
}

function misbehaved(what: string): UpstreamError {
  return new UpstreamError('UPSTREAM_MISBEHAVED', `answers with ${what}`);
}
