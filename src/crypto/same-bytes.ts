/** Of what anybody may see: how long it takes tells where they differ. */
export function isSameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
