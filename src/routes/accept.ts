/**
 * Whether an `Accept` header takes a media type (RFC 9110, 12.5.1): the most specific range that
 * fits decides, and `q=0` says no. No header, or an empty one, takes everything.
 */
export function accepts(header: string | undefined, mediaType: string): boolean {
  if (header === undefined || header === '' || header === '*/*') return true;
  const wanted = mediaType.toLowerCase();
  const anySubtype = `${wanted.slice(0, wanted.indexOf('/'))}/*`;
  let specificity = 0;
  let taken = false;
  for (const part of header.toLowerCase().split(',')) {
    const semicolon = part.indexOf(';');
    const range = (semicolon === -1 ? part : part.slice(0, semicolon)).trim();
    const level = range === wanted ? 3 : range === anySubtype ? 2 : range === '*/*' ? 1 : 0;
    if (level <= specificity) continue;
    specificity = level;
    taken = semicolon === -1 || !/;\s*q=0(?:\.0*)?\s*(?:;|$)/.test(part);
  }
  return taken;
}
