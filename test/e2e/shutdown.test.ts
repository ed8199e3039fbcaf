import { once } from 'node:events';
import { connect } from 'node:net';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { shutDown, shutdownTiming } from '../../src/compose/shutdown.ts';
import { buildImage } from '../support/build-image.ts';
import { get, loadStarter, startApp } from '../support/start-starter.ts';
import { writeLayout } from '../support/write-layout.ts';

const layerBytes = 16 * 1024 * 1024;
const endless = 2 ** 30;

/** An app with one large layer, and a client that has read its headers and then stopped reading. */
async function startWithReader(t: Test) {
  const image = buildImage({ layerSizes: [layerBytes] });
  const [, layer] = image.blobs;
  const starter = await loadStarter(t);
  const folder = join(starter.storage.path, '..');
  await mkdir(join(folder, 'layout'));
  writeLayout(join(folder, 'layout'), [{ artifact: image, tag: 'app:large' }]);
  const exempt = '{ reason: test, owner: test, until: 2999-01-01T00:00:00Z }';
  const rule = `{ digests: ["${image.descriptor.digest}"], exempt: ${exempt} }`;
  await writeFile(join(folder, 'policy.yaml'), `version: 1\nrules:\n  - ${rule}\n`);
  const started = await startApp(t, {
    ...starter,
    upstreams: { large: { layout: join(folder, 'layout') } },
    trustPolicy: join(folder, 'policy.yaml'),
  });
  t.equal((await get(`${started.oci}/v2/large/app/manifests/large`)).status, 200);
  const { hostname, port } = new URL(started.oci);
  const socket = connect(Number(port), hostname);
  socket.write(
    `GET /v2/large/app/blobs/${layer?.descriptor.digest} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`,
  );
  const chunks: Buffer[] = [];
  const [first] = (await once(socket, 'data')) as [Buffer];
  socket.pause();
  chunks.push(first);
  const readOn = async (): Promise<Buffer> => {
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.resume();
    await once(socket, 'close');
    const answer = Buffer.concat(chunks);
    return answer.subarray(answer.indexOf('\r\n\r\n') + 4);
  };
  return { ...started, socket, readOn, layer: layer?.bytes };
}

t.test(
  'an answer under way is finished, new connections are refused, and the end follows',
  async (t) => {
    const { app, oci, readOn, layer } = await startWithReader(t);
    const timing = { ...shutdownTiming, drainDelayMs: 0, maxStreamsMs: endless, idleSweepMs: 5 };
    const down = shutDown(app, timing, new AbortController().signal);
    await t.rejects(get(`${oci}/v2/`), 'no new connection');
    const body = await readOn();
    t.equal(body.byteLength, layerBytes);
    t.ok(layer !== undefined && body.equals(layer));
    await t.resolves(down);
  },
);

t.test('an answer that nobody reads is cut when its time is over', async (t) => {
  const { app, socket, readOn } = await startWithReader(t);
  socket.on('error', () => undefined);
  await shutDown(
    app,
    { drainDelayMs: 0, maxStreamsMs: 1, idleSweepMs: endless },
    new AbortController().signal,
  );
  t.ok((await readOn()).byteLength < layerBytes);
});
