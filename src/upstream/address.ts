import { BlockList, isIP, isIPv6 } from 'node:net';

/** IANA's registry of special-purpose IPv4 addresses (RFC 6890), multicast and reserved. */
const specialIpv4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];
/** Inside of global unicast (2000::/3): protocol assignments with Teredo, documentation, 6to4. */
const specialIpv6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

/** Public by its number, and in each virtual machine of Azure the host's own service. */
const clouds = ['168.63.129.16/32'];

const special = makeBlocks([...specialIpv4, ...specialIpv6, ...clouds]);
const globalUnicast = makeBlocks(['2000::/3']);

/** Blocks such as `10.0.0.0/8`; throws a `TypeError` for what is no block. */
export function makeBlocks(cidrs: readonly string[]): BlockList {
  const blocks = new BlockList();
  for (const cidr of cidrs) {
    const [network = '', bits] = cidr.split('/');
    const family = isIPv6(network) ? 'ipv6' : 'ipv4';
    const prefix = bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits);
    if (isIP(network) === 0 || !/^\d{1,3}$/.test(bits ?? '0')) {
      throw new TypeError(`${cidr} is no block of addresses`);
    }
    blocks.addSubnet(network, prefix, family);
  }
  return blocks;
}

export function isInBlocks(address: string, blocks: BlockList): boolean {
  return blocks.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** Whether an address in `canonicalAddress` form belongs to the public internet. */
export function isPublicAddress(canonical: string): boolean {
  if (isInBlocks(canonical, special)) return false;
  return isIPv6(canonical) ? isInBlocks(canonical, globalUnicast) : true;
}

const embedded =
  /^(?:::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})|64:ff9b::(?:([0-9a-f]{1,4}):)?([0-9a-f]{1,4})?)$/;

/**
 * The address that packets end at: an IPv4 address that is written as IPv6 (mapped, RFC 4291,
 * section 2.5.5.2, or NAT64's well-known prefix, RFC 6052) as IPv4, any other IPv6 address in
 * the form of RFC 5952. Undefined for what is no address, or one of a zone.
 */
export function canonicalAddress(address: string): string | undefined {
  const family = isIP(address);
  if (family === 0 || address.includes('%')) return undefined;
  if (family === 4) return address;
  const compressed = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const match = embedded.exec(compressed);
  if (match === null) return compressed;
  const high = Number.parseInt(match[1] ?? match[3] ?? '0', 16);
  const low = Number.parseInt(match[2] ?? match[4] ?? '0', 16);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
