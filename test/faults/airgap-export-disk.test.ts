import { statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { makeExportLedger } from '../../src/airgap/export-record.ts';
import { signatureOf, writeConfiguration } from '../support/app-kit.ts';
import { buildImage } from '../support/build-image.ts';
import { type ExportKit, makeExportKit } from '../support/export-kit.ts';
import { openScriptedRegistry } from '../support/scripted-registry.ts';
import { mountSmallDisk } from '../support/small-disk.ts';

const kibibyte = 1024;
const image = buildImage({ name: 'large', layerSizes: [900 * kibibyte, 700 * kibibyte] });
const list = 'images: [reg/app:v1]';

async function openSite(t: Test): Promise<ExportKit> {
  const registry = await openScriptedRegistry(t);
  registry.put('app', image, 'v1');
  registry.put('app', signatureOf(image.descriptor));
  const upstreams = { reg: registry.origin };
  return makeExportKit(writeConfiguration(t, { upstreams }));
}

/** Takes all the room of the disk but so much. */
function leave(folder: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(join(folder, 'ballast'), Buffer.alloc(Math.max(0, bavail * bsize - bytes)));
}

for (const [stage, freeKibibytes] of [
  ['in the middle of a volume', 500],
  ['in the first chunk', 20],
] as const) {
  t.test(`a disk that is full ${stage} is told, and with room it goes on`, async (t) => {
    const disk = mountSmallDisk(t, { mebibytes: 4 });
    if (disk === undefined) return;
    const kit = await openSite(t);
    const out = join(disk.folder, 'out');
    leave(disk.folder, freeKibibytes * kibibyte);
    const wish = { volumeBytes: 256 * kibibyte } as const;
    await t.rejects(kit.export(list, out, wish), {
      code: 'NO_SPACE',
      message: /can not be written/,
    });
    await t.rejects(kit.open(out), { code: 'METADATA_MISSING' });
    disk.free();
    const report = await kit.export(list, out, wish);
    t.match(report, { outcome: 'written', bundle: { sequence: 1 } });
    const { contents } = await kit.open(out);
    for (const { descriptor, bytes } of image.blobs) {
      t.ok(contents.get(descriptor.digest)?.equals(bytes), descriptor.digest);
    }
  });
}

t.test('a disk that is full when all content is written is told, and little is left', async (t) => {
  const kit = await openSite(t);
  const wish = { volumeBytes: 256 * kibibyte } as const;
  let kept = 0;
  // Where exactly it fails depends on pages: somewhere between the last volume and the timestamp.
  for (const freeKibibytes of [1648, 1656, 1664]) {
    const disk = mountSmallDisk(t, { mebibytes: 4 });
    if (disk === undefined) return;
    const out = join(disk.folder, 'out');
    leave(disk.folder, freeKibibytes * kibibyte);
    const failed = await kit.export(list, out, wish).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (failed === undefined) continue;
    t.match(failed, { code: 'NO_SPACE' }, `with ${freeKibibytes} KiB`);
    disk.free();
    const { bundle } = await kit.export(list, out, wish);
    kept = Math.max(kept, bundle?.resumedVolumes ?? 0);
    t.equal(bundle?.volumes, 7);
    t.equal((await kit.open(out)).document.sequence, bundle?.sequence);
  }
  t.equal(kept, 7, 'at least once all volumes were there');
});

t.test('where nothing can be noted any more, no number is taken', async (t) => {
  const disk = mountSmallDisk(t, { mebibytes: 1 });
  if (disk === undefined) return;
  const seal = {
    close: (_name: string, value: unknown) => Buffer.from(JSON.stringify(value)),
    open: (_name: string, sealed: Uint8Array) =>
      JSON.parse(Buffer.from(sealed).toString()) as unknown,
  };
  const ledger = makeExportLedger(disk.folder, 'stream', seal);
  await ledger.reserve(1);
  leave(disk.folder, 0);
  await t.rejects(ledger.reserve(2), { code: 'NO_SPACE' });
  disk.free();
  t.equal(await ledger.lastSequence(), 1);
});
