import { type JsonFields, readJsonFields } from '../crypto/json-fields.ts';
import { type Digest, parseDigest } from '../oci/digest.ts';
import { AirgapError } from './airgap-error.ts';
import type { Sequence, Volume, VolumeList } from './bundle.ts';
import { volumeHeaderBytes } from './volume-header.ts';

/** Bytes of `volumes.json`: enough for the hashes of 7 TiB. */
export const maxVolumeListBytes = 64 * 1024 * 1024;
/** What one hash of a volume vouches for, and what a reader has in memory. Bytes. */
export const volumeChunkBytes = 8 * 1024 * 1024;
/** Room for the header and for as much content. */
export const minVolumeBytes = 2 * volumeHeaderBytes;

/** Of JSON: as many as that many bytes of hashes have. */
const maxValues = 2 ** 20;
const maxVolumes = 100_000;
const maxChunks = 2 ** 20;

/** Which stream and which of its bundles volumes belong to. */
export interface VolumeOwner {
  readonly stream: string;
  readonly sequence: Sequence;
}

/** The name of a volume's file: `STREAM-SEQUENCE-0001.vol`. */
export function volumeName({ stream, sequence }: VolumeOwner, number: number): string {
  return `${stream}-${sequence}-${String(number).padStart(4, '0')}.vol`;
}

export function writeVolumeList({ chunkBytes, volumes }: VolumeList): Buffer {
  const listed = volumes.map(({ name, bytes, chunks }) => ({ name, bytes, chunks }));
  return Buffer.from(JSON.stringify({ chunkBytes, volumes: listed }));
}

/** Throws `AirgapError` (VOLUMES_MALFORMED) for what is no list of that bundle's volumes. */
export function readVolumeList(untrusted: Uint8Array, owner: VolumeOwner): VolumeList {
  if (untrusted.length > maxVolumeListBytes) {
    throw malformed(`it is larger than ${maxVolumeListBytes} bytes`);
  }
  const fields = readJsonFields(untrusted, malformed, maxValues);
  fields.expectOnly('chunkBytes', 'volumes');
  const chunkBytes = fields.count('chunkBytes');
  if (chunkBytes < volumeHeaderBytes || chunkBytes > volumeChunkBytes) {
    throw malformed(`chunkBytes is not from ${volumeHeaderBytes} to ${volumeChunkBytes}`);
  }
  const volumes = fields
    .objects('volumes', maxVolumes)
    .map((volume, index) => readListed(volume, index + 1, chunkBytes, owner));
  checkSizes(volumes);
  return { chunkBytes, volumes };
}

function readListed(
  fields: JsonFields,
  number: number,
  chunkBytes: number,
  owner: VolumeOwner,
): Volume {
  fields.expectOnly('name', 'bytes', 'chunks');
  const name = volumeName(owner, number);
  if (fields.text('name') !== name) throw malformed(`${fields.path}.name is not ${name}`);
  const bytes = fields.count('bytes');
  if (bytes < volumeHeaderBytes) throw malformed(`${fields.path} has no room for its header`);
  const chunks = fields.texts('chunks', maxChunks).map(readChunkDigest(fields.path));
  if (chunks.length !== Math.ceil(bytes / chunkBytes)) {
    throw malformed(`${fields.path} has not as many chunks as its bytes need`);
  }
  return { number, name, bytes, chunks };
}

const readChunkDigest =
  (path: string) =>
  (text: string, index: number): Digest => {
    const digest = parseDigest(text);
    if (digest?.startsWith('sha256:') === true) return digest;
    throw malformed(`${path}.chunks[${index}] is no SHA-256`);
  };

/** Each is as large as the first, but for the last, which may be smaller. */
function checkSizes(volumes: readonly Volume[]): void {
  const [first] = volumes;
  const odd = volumes.find(({ bytes, number }) =>
    number === volumes.length ? bytes > (first?.bytes ?? 0) : bytes !== first?.bytes,
  );
  if (odd !== undefined) throw malformed(`volume ${odd.number} has not the size of the others`);
}

function malformed(why: string, cause?: unknown): AirgapError {
  return new AirgapError('VOLUMES_MALFORMED', `volumes.json is malformed: ${why}`, { cause });
}
