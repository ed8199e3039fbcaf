import { gzipSync } from 'node:zlib';

export interface TarEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Permission bits, such as 0o755. */
  readonly mode: number;
}

const blockBytes = 512;

/** A tar archive (POSIX ustar) whose bytes depend on its entries alone: no times, no owners. */
export function makeTar(entries: readonly TarEntry[]): Buffer {
  const blocks = entries.flatMap((entry) => [headerOf(entry), padded(entry.bytes)]);
  return Buffer.concat([...blocks, Buffer.alloc(2 * blockBytes)]);
}

/** Stored, not deflated: the same bytes from every version of zlib. */
export function gzip(bytes: Uint8Array): Buffer {
  const zipped = gzipSync(bytes, { level: 0 });
  zipped[9] = 255; // RFC 1952, 2.3.1: the operating system is unknown.
  return zipped;
}

function headerOf({ name, bytes, mode }: TarEntry): Buffer {
  const header = Buffer.alloc(blockBytes);
  header.write(name, 0, 100, 'utf8');
  header.write(octal(mode, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(bytes.byteLength, 11), 124);
  header.write(octal(0, 11), 136);
  header.write(' '.repeat(8), 148);
  header.write('0', 156);
  header.write('ustar\u000000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\u0000 `, 148, 'latin1');
  return header;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

function padded(bytes: Uint8Array): Buffer {
  const length = Math.ceil(bytes.byteLength / blockBytes) * blockBytes;
  return Buffer.concat([bytes], length);
}
