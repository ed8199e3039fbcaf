import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { type Barrier, makeBarrier } from './barrier.ts';
import { type BuiltBlob, buildImage } from './build-image.ts';
import { checkStore } from './check-store.ts';
import {
  type ContentKit,
  eventually,
  expectWhole,
  mebibyte,
  openContentKit,
} from './content-kit.ts';
import { type FakeClock, makeFakeClock } from './fake-clock.ts';

export const diskLayerBytes = 8 * mebibyte;
/** What no log may tell. */
export const upstreamSecret = 'correct-horse-battery';

export interface DiskKit extends ContentKit {
  readonly clock: FakeClock;
  /** The layers of the image, by number from 1. */
  readonly layers: readonly BuiltBlob[];
}

export async function openDiskKit(t: Test, dataFolder: string, layerCount = 3): Promise<DiskKit> {
  const clock = makeFakeClock();
  const layerSizes = Array.from({ length: layerCount }, (_, at) => diskLayerBytes + at);
  const credentials = { username: 'bot', password: upstreamSecret };
  const kit = await openContentKit(t, { layerSizes, dataFolder, clock, credentials });
  const unsigned = buildImage({ name: `${t.fullname}/unsigned`, layerSizes: [diskLayerBytes] });
  kit.registry.put('app', unsigned, 'unsigned');
  return { ...kit, clock, layers: kit.image.blobs.slice(1) };
}

/** Upstream sends half of a blob, then waits. */
export function pauseHalfway(kit: DiskKit, blob: BuiltBlob): Barrier {
  const until = makeBarrier();
  kit.registry.setFault(({ path, method }, answer) =>
    method === 'GET' && path.endsWith(blob.descriptor.digest)
      ? { ...answer, pauseAt: { bytes: diskLayerBytes / 2, until } }
      : undefined,
  );
  return until;
}

export async function isStored(
  { dataFolder }: DiskKit,
  { descriptor }: BuiltBlob,
): Promise<boolean> {
  return (await checkStore(dataFolder)).stored.includes(descriptor.digest);
}

export async function storeLayer(t: Test, kit: DiskKit, blob: BuiltBlob): Promise<void> {
  await expectWhole(t, kit.open({ blob }), 'before the fault a client');
  await eventually(() => isStored(kit, blob));
}

/** Files of the store, but for those of the state, that this process has open. */
export function openBelow(folder: string): readonly string[] {
  const links = readdirSync('/proc/self/fd').map((name) => {
    try {
      return readlinkSync(join('/proc/self/fd', name));
    } catch {
      return '';
    }
  });
  return links.filter((path) => path.startsWith(folder) && !path.endsWith('.mdb'));
}
