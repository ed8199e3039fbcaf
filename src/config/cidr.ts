import { isIP } from 'node:net';

/** An address block in its one spelling, or undefined: `10.1.0.0/8` has bits behind its prefix. */
export function parseCidr(text: string): string | undefined {
  const [address = '', length = '', ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || address.includes('%') || more.length > 0) return undefined;
  const width = family === 4 ? 32 : 128;
  if (!/^\d{1,3}$/.test(length) || Number(length) > width) return undefined;
  const behindPrefix = (1n << BigInt(width - Number(length))) - 1n;
  // A slip for another length, perhaps: ask, do not guess.
  if ((bitsOf(address, family) & behindPrefix) !== 0n) return undefined;
  return `${address.toLowerCase()}/${Number(length)}`;
}

function bitsOf(address: string, family: number): bigint {
  if (family === 4) {
    return address.split('.').reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
  }
  // URL writes every IPv6 address in hexadecimal groups (RFC 5952), embedded IPv4 too.
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const before = head.split(':').filter((group) => group !== '');
  const after = (tail ?? '').split(':').filter((group) => group !== '');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].reduce(
    (bits, group) => (bits << 16n) | BigInt(`0x${group}`),
    0n,
  );
}
