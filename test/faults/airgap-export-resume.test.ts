import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { signatureOf, writeConfiguration } from '../support/app-kit.ts';
import { buildImage } from '../support/build-image.ts';
import {
  type ExportKit,
  type ExportWish,
  filesBelow,
  makeExportKit,
} from '../support/export-kit.ts';
import { openScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';

const kibibyte = 1024;
const image = buildImage({ name: 'large', layerSizes: [300 * kibibyte, 200 * kibibyte] });
const list = 'images: [reg/app:v1]';
const wish = { volumeBytes: 64 * kibibyte } as const;

async function openSite(t: Test): Promise<{ kit: ExportKit; registry: ScriptedRegistry }> {
  const registry = await openScriptedRegistry(t);
  registry.put('app', image, 'v1');
  registry.put('app', signatureOf(image.descriptor));
  const upstreams = { reg: registry.origin };
  return { registry, kit: await makeExportKit(writeConfiguration(t, { upstreams })) };
}

/** Stops when so many bytes were written. */
function stoppedAt(bytes: number): ExportWish {
  const stop = new AbortController();
  return {
    ...wish,
    signal: stop.signal,
    onProgress: (done) => {
      if (done >= bytes) stop.abort(new Error('stopped'));
    },
  };
}

const volumesOf = (kit: ExportKit, out: string): readonly string[] =>
  filesBelow(join(kit.folder, out)).filter((name) => name.endsWith('.vol'));

t.test('volumes that were finished are kept, and not read from upstream again', async (t) => {
  const { kit } = await openSite(t);
  await t.rejects(kit.export(list, 'out', stoppedAt(400 * kibibyte)), { message: 'stopped' });
  t.ok(volumesOf(kit, 'out').length >= 5);
  await t.rejects(kit.open('out'), { code: 'METADATA_MISSING' });
  const before = volumesOf(kit, 'out').map((name) => readFileSync(join(kit.folder, 'out', name)));
  const report = await kit.export(list, 'out', wish);
  t.match(report, { outcome: 'written', bundle: { sequence: 1 } });
  t.ok((report.bundle?.resumedVolumes ?? 0) >= 5);
  const { contents } = await kit.open('out');
  for (const { descriptor, bytes } of image.blobs) {
    t.ok(contents.get(descriptor.digest)?.equals(bytes));
  }
  const after = volumesOf(kit, 'out').map((name) => readFileSync(join(kit.folder, 'out', name)));
  for (const [index, bytes] of before.entries()) t.ok(after[index]?.equals(bytes));
  const left = filesBelow(join(kit.folder, 'out'));
  t.ok(
    left.every((name) => /^(?:metadata|targets|volumes)\//.test(name)),
    left.join(' '),
  );
});

t.test('a finished volume that was damaged or lost meanwhile is written again', async (t) => {
  const { kit } = await openSite(t);
  await t.rejects(kit.export(list, 'out', stoppedAt(400 * kibibyte)), { message: 'stopped' });
  const [, second = '', , fourth = ''] = volumesOf(kit, 'out');
  const file = join(kit.folder, 'out', second);
  const bytes = readFileSync(file);
  bytes[5000] = (bytes[5000] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  rmSync(join(kit.folder, 'out', fourth));
  const report = await kit.export(list, 'out', wish);
  t.equal(report.outcome, 'written');
  const { contents } = await kit.open('out');
  for (const { descriptor, bytes: right } of image.blobs) {
    t.ok(contents.get(descriptor.digest)?.equals(right), descriptor.digest);
  }
});

t.test('one that means something else by now begins anew, and takes the same number', async (t) => {
  const { kit, registry } = await openSite(t);
  await t.rejects(kit.export(list, 'out', stoppedAt(400 * kibibyte)), { message: 'stopped' });
  const other = buildImage({ name: 'other' });
  registry.put('app', other, 'v2');
  registry.put('app', signatureOf(other.descriptor));
  const report = await kit.export('images: [reg/app:v2]', 'out', wish);
  t.match(report, { bundle: { sequence: 1, resumedVolumes: 0, volumes: 1 } });
  t.equal(volumesOf(kit, 'out').length, 1);
  t.match((await kit.open('out')).document.images, [{ tag: 'v2' }]);
});

t.test('one that is left goes into another folder under the same number', async (t) => {
  const { kit } = await openSite(t);
  await t.rejects(kit.export(list, 'left', stoppedAt(100 * kibibyte)), { message: 'stopped' });
  t.match(await kit.export(list, 'out', wish), { bundle: { sequence: 1, resumedVolumes: 0 } });
  // What was left is nobody's to go on with, and may be begun anew.
  t.match(await kit.export(list, 'left', wish), { bundle: { sequence: 2, resumedVolumes: 0 } });
  t.equal((await kit.open('left')).document.previous?.sequence, 1);
});

t.test(
  'a second export of the stream at the same time is refused, and harms nothing',
  async (t) => {
    const { kit } = await openSite(t);
    const entered = Promise.withResolvers<void>();
    const first = kit.export(list, 'first', { ...wish, onProgress: () => entered.resolve() });
    await entered.promise;
    await t.rejects(kit.export(list, 'second', wish), {
      code: 'STREAM_BUSY',
      message: /another export is at work on stream/,
    });
    t.match(await first, { outcome: 'written' });
    t.match(await kit.export(list, 'second', wish), { bundle: { sequence: 2 } });
  },
);

t.test('what is noted of the stream can not be altered unnoticed', async (t) => {
  const { kit } = await openSite(t);
  await kit.export(list, 'first', wish);
  const [counter = ''] = filesBelow(join(kit.folder, 'data')).filter((name) =>
    /^airgap\/[0-9a-f]+\/counter$/.test(name),
  );
  const file = join(kit.folder, 'data', counter);
  const bytes = readFileSync(file);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  writeFileSync(file, bytes);
  await t.rejects(kit.export(list, 'second', wish), { code: 'RECORD_DAMAGED' });
});
