const blockBytes = 512;
/** What eleven octal digits can say. */
const maxPlainSize = 8 ** 11 - 1;
const maxPlainName = 100;

/**
 * The header of a file in a tar archive (POSIX.1-2017, pax, ustar Interchange Format), with an
 * extended one before it where a name or size needs one. Nothing in it depends on who writes it.
 */
export function tarHeader(name: string, size: number): Buffer {
  const records = [
    ...(name.length > maxPlainName ? [paxRecord('path', name)] : []),
    ...(size > maxPlainSize ? [paxRecord('size', String(size))] : []),
  ];
  const plain = ustar(name.slice(0, maxPlainName), Math.min(size, maxPlainSize), '0');
  if (records.length === 0) return plain;
  const extended = Buffer.from(records.join(''));
  return Buffer.concat([
    ustar('pax-header', extended.length, 'x'),
    extended,
    tarPadding(extended.length),
    plain,
  ]);
}

/** What follows the bytes of a file, up to the next block. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((blockBytes - (size % blockBytes)) % blockBytes);
}

/** Two empty blocks. */
export const tarEnd = Buffer.alloc(2 * blockBytes);

/** `LENGTH KEY=VALUE\n`; the length counts itself. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length;
  while (String(length).length + rest.length !== length) {
    length = String(length).length + rest.length;
  }
  return `${length}${rest}`;
}

function ustar(name: string, size: number, type: '0' | 'x'): Buffer {
  const header = Buffer.alloc(blockBytes);
  header.write(name, 0, 'ascii');
  header.write('0000644\x000000000\x000000000\0', 100, 'ascii');
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'ascii');
  header.write('00000000000\0', 136, 'ascii');
  // The checksum counts itself as spaces.
  header.write('        ', 148, 'ascii');
  header.write(type, 156, 'ascii');
  header.write('ustar\x0000', 257, 'ascii');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'ascii');
  return header;
}
