import { setTimeout as pause } from 'node:timers/promises';
import type { Test } from 'tap';
import { manifestMediaTypes } from '../../src/oci/media-types.ts';
import { signatureOf, writeConfiguration } from './app-kit.ts';
import { makeBarrier } from './barrier.ts';
import { type BlobClient, openBlobClient } from './blob-client.ts';
import { type BuiltBlob, buildImage } from './build-image.ts';
import { eventually, expectWhole, mebibyte } from './content-kit.ts';
import { openScriptedRegistry } from './scripted-registry.ts';
import { type ServeProcess, startServe } from './serve-process.ts';

export interface StallOptions {
  readonly readers: number;
  /** How long they stall after the fill has ended. */
  readonly stallMs: number;
}

const maxBytesPerReader = mebibyte / 2;
const layerBytes = 48 * mebibyte;

/**
 * Readers that stop in the middle of a fill: half of them before it begins to hurry, half of them
 * when the layer is stored. They cost bounded memory, and nobody waits for them.
 */
export async function runStalledReaders(
  t: Test,
  { readers, stallMs }: StallOptions,
): Promise<void> {
  const registry = await openScriptedRegistry(t);
  const image = buildImage({ name: t.fullname, layerSizes: [layerBytes, layerBytes - 1] });
  registry.put('app', image, 'v1');
  registry.put('app', signatureOf(image.descriptor));
  const file = writeConfiguration(t, { upstreams: { reg: registry.origin } });
  const app = await startServe(t, file);
  const headers = { accept: manifestMediaTypes.join(', ') };
  t.equal((await fetch(`${app.oci}/v2/reg/app/manifests/v1`, { headers })).status, 200);
  const [, layer, warm] = image.blobs as [BuiltBlob, BuiltBlob, BuiltBlob];
  const open = (blob: BuiltBlob, stallAfter?: number): BlobClient =>
    openBlobClient(t, app.oci, `/v2/reg/app/blobs/${blob.descriptor.digest}`, {
      expected: blob.bytes,
      ...(stallAfter !== undefined && { stallAfter }),
    });
  for (let time = 0; time < 3; time += 1) await expectWhole(t, open(warm), 'to warm up, a client');
  // What buffers and code it has for many connections, it has from here on.
  const many = Array.from({ length: readers }, () => open(image.blobs[0]!));
  await Promise.all(many.map(({ ended }) => ended));

  const path = `/v2/app/blobs/${layer.descriptor.digest}`;
  const until = makeBarrier();
  registry.setFault(({ path: asked }, answer) =>
    asked === path ? { ...answer, pauseAt: { bytes: layerBytes / 4, until } } : undefined,
  );
  const before = await settledBytes(app);
  const idleFiles = app.openFiles();
  const early = await stalled(open, layer, readers / 2);
  until.release();
  await expectWhole(t, open(layer), 'a client that reads');
  const late = await stalled(open, layer, readers / 2);
  await expectGrowth(t, app, before, readers);
  t.equal(registry.seen(path).filter(({ method }) => method === 'GET').length, 1);
  if (stallMs > 0) {
    await pause(stallMs);
    await expectGrowth(t, app, before, readers);
    await expectWhole(t, open(layer), 'another client that reads');
  }
  const all = [...early, ...late];
  t.ok(
    all.every(({ received }) => received < layerBytes / 2),
    'the stalled ones still wait',
  );
  const [first] = early;
  first?.resume();
  if (first !== undefined) await expectWhole(t, first, 'one who reads on');
  for (const each of all) each.kill();
  await eventually(() => app.openFiles() <= idleFiles);
  t.pass('when they have gone, no file stays open');
}

async function stalled(
  open: (blob: BuiltBlob, stallAfter: number) => BlobClient,
  layer: BuiltBlob,
  count: number,
): Promise<readonly BlobClient[]> {
  const clients = Array.from({ length: count }, () => open(layer, 1));
  await Promise.all(clients.map((client) => client.reaches(1)));
  return clients;
}

async function expectGrowth(
  t: Test,
  app: ServeProcess,
  before: number,
  readers: number,
): Promise<void> {
  const grown = (await settledBytes(app)) - before;
  const said = `${(grown / readers / mebibyte).toFixed(2)} MiB a stalled reader`;
  t.comment(said);
  t.ok(grown / readers <= maxBytesPerReader, said);
}

/** Memory once it has stopped growing: what was on its way has arrived. */
async function settledBytes(app: ServeProcess): Promise<number> {
  let [before, now] = [0, app.residentBytes()];
  while (now > before + mebibyte / 4) {
    await pause(300);
    [before, now] = [now, app.residentBytes()];
  }
  return now;
}
