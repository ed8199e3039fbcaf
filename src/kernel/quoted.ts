/**
 * Untrusted text made safe for a message, a header or a log: printable ASCII in double quotes,
 * everything else as an escape, at most `maxLength` characters (80 unless told).
 */
export function quoted(untrusted: string, maxLength = 80): string {
  return JSON.stringify(shortened(untrusted, maxLength)).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Text that is kept: at most so many characters, and a sign where there were more. */
export function shortened(text: string, maxLength: number): string {
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}

/** A URL quoted, without its query and user information: they may be somebody's secrets. */
export function quotedUrl(untrusted: string): string {
  return quoted(untrusted.replace(/\?.*$/s, '?...').replace(/\/\/[^/]*@/, '//...@'));
}
