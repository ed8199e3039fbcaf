import { quoted } from '../kernel/quoted.ts';
import { AirgapError } from './airgap-error.ts';

/** A file or folder of an archive. */
export interface TarEntry {
  /** Without a leading `./` or closing slash; parts of letters, digits, `.`, `_` and `-`. */
  readonly name: string;
  readonly kind: 'file' | 'folder';
  /** Bytes. */
  readonly size: number;
  /** To be read before the next entry is asked for; what is left is skipped. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

const blockBytes = 512;
const maxPaxBytes = 16 * 1024;
const maxNameBytes = 512;
const maxEntries = 200_000;
const namePart = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,255}$/;

/**
 * Reads an archive (POSIX.1-2017, pax, ustar Interchange Format) as it comes. Nothing but plain files
 * and folders, each once, with names that lead nowhere else: links, devices, sparse files, GNU's long
 * names and global headers are refused. Throws `AirgapError` (LAYOUT_MALFORMED).
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const input = makeInput(source);
  const seen = new Set<string>();
  let extended: Extended | undefined;
  for (;;) {
    const header = await readBlock(input);
    if (header === undefined) break;
    const read = readHeader(header);
    if (read.type === 'x') {
      if (extended !== undefined) throw malformed('two extended headers stand before one entry');
      extended = readPax(await input.whole(read.size));
      continue;
    }
    const size = extended?.size ?? read.size;
    const name = checkName(extended?.path ?? read.name);
    extended = undefined;
    const kind = read.type;
    // The folder itself, as `tar -C folder .` writes it.
    if (name === '' && kind === 'folder') continue;
    note(name, kind, size, seen);
    input.begin(size);
    yield { name, kind, size, bytes: input.content() };
    await input.skip();
  }
}

/** Undefined at the end, which is two empty blocks. */
async function readBlock(input: ReturnType<typeof makeInput>): Promise<Buffer | undefined> {
  const block = await input.block();
  if (block === undefined) throw malformed('it ends without its two empty blocks');
  if (block[0] === 0x1f && block[1] === 0x8b) throw malformed('it is compressed: unpack it first');
  if (block.some((byte) => byte !== 0)) return block;
  const second = await input.block();
  if (second?.some((byte) => byte !== 0) === true)
    throw malformed('something stands behind its end');
  return undefined;
}

function note(name: string, kind: TarEntry['kind'], size: number, seen: Set<string>): void {
  if (kind === 'folder' && size !== 0) throw malformed(`${quoted(name)} is a folder of bytes`);
  if (name === '' || seen.has(name)) throw malformed(`${quoted(name)} stands twice, or is no name`);
  seen.add(name);
  if (seen.size > maxEntries) throw malformed(`it has more than ${maxEntries} entries`);
}

interface Header {
  readonly name: string;
  readonly size: number;
  readonly type: 'file' | 'folder' | 'x';
}

interface Extended {
  readonly path?: string;
  readonly size?: number;
}

function readHeader(block: Buffer): Header {
  const stated = readOctal(block.subarray(148, 156), 'checksum');
  // The checksum counts itself as spaces.
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  if (sum !== stated) throw malformed('the checksum of a header is wrong');
  const name = readText(block.subarray(0, 100));
  const prefix =
    block.toString('latin1', 257, 262) === 'ustar' ? readText(block.subarray(345, 500)) : '';
  const full = prefix === '' ? name : `${prefix}/${name}`;
  return {
    name: full,
    size: readOctal(block.subarray(124, 136), 'size'),
    type: readType(block, full),
  };
}

function readType(block: Buffer, name: string): Header['type'] {
  const type = String.fromCharCode(block[156] ?? 0);
  if (type === '0' || type === '\0') return 'file';
  if (type === '5') return 'folder';
  if (type === 'x') return 'x';
  throw malformed(`${quoted(name)} is no plain file or folder (type ${quoted(type)})`);
}

function readText(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end === -1 ? field.length : end);
}

/** Octal digits alone: binary sizes are GNU's, and pax has its own way. */
function readOctal(field: Buffer, what: string): number {
  const text = field
    .toString('latin1')
    .replace(/[\0 ]+$/, '')
    .trimStart();
  if (/^[0-7]{1,12}$/.test(text)) return Number.parseInt(text, 8);
  throw malformed(`the ${what} in a header is no number`);
}

/** `LENGTH KEY=VALUE\n`, of which the path and the size matter. */
function readPax(bytes: Buffer): Extended {
  const found = new Map<string, string>();
  for (let at = 0; at < bytes.length;) {
    const { key, value, end } = readRecord(bytes, at);
    if (found.has(key)) throw malformed('an extended header says a thing twice');
    if (key.startsWith('GNU.sparse')) throw malformed('it has a sparse file');
    found.set(key, value);
    at = end;
  }
  const [path, size] = [found.get('path'), found.get('size')];
  if (size !== undefined && !/^\d{1,15}$/.test(size)) throw malformed('a size is no number');
  return { ...(path !== undefined && { path }), ...(size !== undefined && { size: Number(size) }) };
}

function readRecord(bytes: Buffer, at: number) {
  const space = bytes.indexOf(32, at);
  const digits = bytes.toString('latin1', at, Math.max(space, at));
  const end = at + (/^[1-9]\d{0,5}$/.test(digits) ? Number(digits) : 0);
  const record = bytes.toString('utf8', space + 1, end - 1);
  const equals = record.indexOf('=');
  if (end <= space + 1 || end > bytes.length || bytes[end - 1] !== 10 || equals < 1) {
    throw malformed('an extended header can not be read');
  }
  return { key: record.slice(0, equals), value: record.slice(equals + 1), end };
}

function checkName(untrusted: string): string {
  const name = untrusted.replace(/^(?:\.\/)+/, '').replace(/\/$/, '');
  if (name === '' || name === '.') return '';
  const isSound = Buffer.byteLength(name) <= maxNameBytes;
  if (isSound && name.split('/').every((part) => namePart.test(part))) return name;
  throw malformed(`${quoted(untrusted)} is no name that may stand in it`);
}

/** The archive in blocks, and the content of the entry that is being read. */
function makeInput(source: AsyncIterable<Uint8Array>) {
  const pieces = source[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);
  let left = 0;
  let padding = 0;
  const fill = async (): Promise<boolean> => {
    const { done, value } = await pieces.next();
    if (done === true) return false;
    held = held.length === 0 ? Buffer.from(value) : Buffer.concat([held, value]);
    return true;
  };
  const take = async (count: number): Promise<Buffer | undefined> => {
    while (held.length < count) if (!(await fill())) return undefined;
    const taken = held.subarray(0, count);
    held = held.subarray(count);
    return taken;
  };
  async function* content(): AsyncGenerator<Uint8Array> {
    while (left > 0) {
      if (held.length === 0 && !(await fill())) throw malformed('it ends within a file');
      const piece = held.subarray(0, left);
      held = held.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }
  const begin = (size: number): void => {
    left = size;
    padding = (blockBytes - (size % blockBytes)) % blockBytes;
  };
  const skip = async (): Promise<void> => {
    for await (const _ of content());
    if ((await take(padding)) === undefined) throw malformed('it ends within a file');
  };
  return {
    block: () => take(blockBytes),
    content,
    begin,
    skip,
    async whole(size: number): Promise<Buffer> {
      if (size > maxPaxBytes) throw malformed('an extended header is too large');
      begin(size);
      const parts: Uint8Array[] = [];
      for await (const piece of content()) parts.push(Buffer.from(piece));
      await skip();
      return Buffer.concat(parts);
    },
  };
}

function malformed(why: string): AirgapError {
  return new AirgapError('LAYOUT_MALFORMED', `the archive is not to be read: ${why}`);
}
