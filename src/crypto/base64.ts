/**
 * The bytes of base64 (RFC 4648, sections 4 and 5) in its one canonical spelling: the alphabet's
 * characters only, padded (`base64`) or not (`base64url`), spare bits zero. Otherwise undefined.
 */
export function parseBase64(
  text: string,
  encoding: 'base64' | 'base64url',
): Uint8Array | undefined {
  // Buffer.from passes over what it does not know; what it writes back shows that.
  const bytes = Buffer.from(text, encoding);
  return bytes.toString(encoding) === text ? bytes : undefined;
}
