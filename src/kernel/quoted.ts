/**
 * Untrusted text made safe for a message, a header or a log: printable ASCII in double quotes,
 * everything else as an escape, at most `maxLength` characters (80 unless told).
 */
export function quoted(untrusted: string, maxLength = 80): string {
  const cut = untrusted.length > maxLength ? `${untrusted.slice(0, maxLength)}…` : untrusted;
  return JSON.stringify(cut).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The same for a URL, without its query and user information: they may be somebody's secrets. */
export function quotedUrl(untrusted: string): string {
  return quoted(untrusted.replace(/\?.*$/s, '?...').replace(/\/\/[^/]*@/, '//...@'));
}
