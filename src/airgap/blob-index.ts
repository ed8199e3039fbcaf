import { quoted } from '../kernel/quoted.ts';
import { parseDigest } from '../oci/digest.ts';
import { AirgapError } from './airgap-error.ts';
import type { BlobRecord, Extent, VolumeList } from './bundle.ts';
import { lineBatches } from './lines.ts';
import { volumeHeaderBytes } from './volume-header.ts';

/** A blob of 7 TiB on compact discs has 12,000 places. Bytes. */
export const maxIndexLineBytes = 1024 * 1024;

/** One line of `blobs.idx`, with its end. */
export function formatBlobRecord({ digest, size, extents }: BlobRecord): string {
  const places = extents?.map(({ volume, offset, length }) => `${volume}:${offset}+${length}`);
  return `${digest} ${size} ${places?.join(',') ?? '='}\n`;
}

/**
 * Reads `blobs.idx` as its bytes come, with memory for one piece of them and one line. Throws
 * `AirgapError` (INDEX_MALFORMED), which names the line, for anything that the format does not
 * allow: places that overlap, leave a gap, are out of order, go past a volume or do not fill all of
 * them, and assumed content that is out of order. One digest may have places twice unnoticed.
 */
export async function* readBlobRecords(
  untrusted: AsyncIterable<Uint8Array>,
  volumes: VolumeList,
): AsyncGenerator<BlobRecord> {
  const order = makeOrder(volumes);
  let number = 0;
  for await (const batch of lineBatches(untrusted, maxIndexLineBytes, tooLong)) {
    for (const line of batch) {
      number += 1;
      const record = parseRecord(line);
      const problem = record === undefined ? `is no record: ${quoted(line)}` : order.take(record);
      if (problem !== undefined) throw malformed(`line ${number} ${problem}`);
      if (record !== undefined) yield record;
    }
  }
  const problem = order.end();
  if (problem !== undefined) throw malformed(problem);
}

const recordPattern = /^([a-z0-9]+:[a-f0-9]+) (0|[1-9]\d{0,15}) (=|\d[\d:+,]*)$/;
const extentPattern = /^([1-9]\d{0,6}):([1-9]\d{0,15})\+(0|[1-9]\d{0,15})$/;

function parseRecord(line: string): BlobRecord | undefined {
  const [, digestText = '', sizeText, places = ''] = recordPattern.exec(line) ?? [];
  const digest = parseDigest(digestText);
  const size = Number(sizeText);
  if (digest === undefined || !Number.isSafeInteger(size)) return undefined;
  if (places === '=') return { digest, size, extents: undefined };
  const extents = places.split(',').map(parseExtent);
  const known = extents.filter((extent) => extent !== undefined);
  return known.length === extents.length ? { digest, size, extents: known } : undefined;
}

function parseExtent(text: string): Extent | undefined {
  const [, volume, offset, length] = extentPattern.exec(text) ?? [];
  if (volume === undefined) return undefined;
  const extent = { volume: Number(volume), offset: Number(offset), length: Number(length) };
  return Object.values(extent).every(Number.isSafeInteger) ? extent : undefined;
}

/** Where the next record has to be; each answer is what is wrong, or undefined. */
interface Order {
  take(record: BlobRecord): string | undefined;
  end(): string | undefined;
}

function makeOrder({ volumes }: VolumeList): Order {
  let volume = 1;
  let offset = volumeHeaderBytes;
  let assumed = '';
  const left = (): number => (volumes[volume - 1]?.bytes ?? offset) - offset;
  const takeExtent = (extent: Extent, isOnly: boolean): string | undefined => {
    if (left() === 0 && volumes[volume] !== undefined && extent.volume === volume + 1) {
      volume += 1;
      offset = volumeHeaderBytes;
    }
    if (extent.volume !== volume || extent.offset !== offset) {
      return `has a place that is not the next one, ${volume}:${offset}`;
    }
    if (extent.length > left()) return 'has a place past the end of its volume';
    if (extent.length === 0 && !isOnly) return 'has an empty place';
    offset += extent.length;
    return undefined;
  };
  const takePlaced = (size: number, extents: readonly Extent[]): string | undefined => {
    if (assumed !== '') return 'has places, behind lines without';
    for (const extent of extents) {
      const problem = takeExtent(extent, extents.length === 1 && size === 0);
      if (problem !== undefined) return problem;
    }
    const sum = extents.reduce((total, { length }) => total + length, 0);
    return sum === size ? undefined : 'has places for another size';
  };
  return {
    take({ digest, size, extents }) {
      if (extents !== undefined) return takePlaced(size, extents);
      const last = assumed;
      assumed = digest;
      return last < digest ? undefined : 'is not in the order of digests';
    },
    end() {
      if (volume >= volumes.length && left() === 0) return undefined;
      return `its places end at ${volume}:${offset}, before the volumes do`;
    },
  };
}

function tooLong(): AirgapError {
  return malformed(`a line has more than ${maxIndexLineBytes} bytes, or no end`);
}

function malformed(why: string): AirgapError {
  return new AirgapError('INDEX_MALFORMED', `blobs.idx is malformed: ${why}`);
}
