import { quoted } from '../kernel/quoted.ts';
import type { Sequence } from './bundle.ts';

/** Bytes before the content of a volume. */
export const volumeHeaderBytes = 4096;

/** What a volume says of itself, so that one in the wrong place is named as what it is. */
export interface VolumeHeader {
  readonly stream: string;
  readonly sequence: Sequence;
  readonly volume: number;
}

export function writeVolumeHeader({ stream, sequence, volume }: VolumeHeader): Buffer {
  const header = Buffer.alloc(volumeHeaderBytes);
  header.write(`ASSAY-VOLUME 1\nstream ${stream}\nsequence ${sequence}\nvolume ${volume}\n`);
  return header;
}

const pattern =
  /^ASSAY-VOLUME 1\nstream ([a-f0-9]{32})\nsequence (\d{1,15})\nvolume (\d{1,15})\n\0*$/;

/** Undefined where there is none. Nothing vouches for it. */
export function parseVolumeHeader(untrusted: Uint8Array): VolumeHeader | undefined {
  const text = Buffer.from(untrusted.subarray(0, volumeHeaderBytes)).toString('latin1');
  const [, stream = '', sequence, volume] = pattern.exec(text) ?? [];
  if (text.length !== volumeHeaderBytes || sequence === undefined) return undefined;
  return { stream, sequence: Number(sequence), volume: Number(volume) };
}

export function isSameHeader(one: VolumeHeader, other: VolumeHeader): boolean {
  return (
    one.stream === other.stream && one.sequence === other.sequence && one.volume === other.volume
  );
}

/** Such as `volume 2 of bundle 7 of stream "…"`. */
export function describeHeader({ stream, sequence, volume }: VolumeHeader): string {
  return `volume ${volume} of bundle ${sequence} of stream ${quoted(stream)}`;
}
