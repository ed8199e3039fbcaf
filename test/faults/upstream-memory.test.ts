import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { Writable, type Readable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { digestOf } from '../../src/oci/digest.ts';
import { matching } from '../../src/storage/matching.ts';
import { openRemoteKit, path, signal } from '../support/remote-kit.ts';

const mebibyte = 1024 * 1024;
const digest = digestOf(Buffer.from('whatever'));
const blobPath = `GET /v2/${path}/blobs/${digest}`;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function usedBytes(): number {
  collectGarbage();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
}

t.test('readers that stall hold no more than a little of a body', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.on(blobPath, { endless: Buffer.alloc(65_536) });
  const readers = 100;
  const before = usedBytes();
  const streams: Readable[] = [];
  for (let reader = 0; reader < readers; reader += 1) {
    const blob = await source.openBlob(path, digest, signal);
    if (blob === undefined) throw new Error('there is such a blob');
    const checked = matching({ digest, size: 1000 * mebibyte });
    pipeline(blob.stream, checked).catch(() => undefined);
    checked.on('error', () => undefined);
    streams.push(checked);
  }
  // Each has given its first bytes and is not read any further.
  await Promise.all(streams.map((stream) => once(stream, 'readable')));
  for (let turn = 0; turn < 200; turn += 1) await new Promise(setImmediate);
  const perReader = (usedBytes() - before) / readers;
  t.ok(perReader < mebibyte, `${Math.round(perReader / 1024)} KiB a reader`);
  for (const stream of streams) stream.destroy();
});

t.test('a body of 200 MiB passes in little memory', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.on(blobPath, { endless: Buffer.alloc(65_536) });
  const blob = await source.openBlob(path, digest, signal);
  if (blob === undefined) throw new Error('there is such a blob');
  const before = usedBytes();
  let most = 0;
  let passed = 0;
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      passed += chunk.length;
      if (passed % (10 * mebibyte) < 65_536) most = Math.max(most, usedBytes() - before);
      done();
    },
  });
  const size = 200 * mebibyte;
  const end = pipeline(blob.stream, matching({ digest, size }), sink);
  await t.rejects(end, { code: 'CONTENT_MISMATCH' });
  t.ok(passed > size - 2 * mebibyte && passed <= size - 65_536, `${passed} bytes passed`);
  t.ok(most < 64 * mebibyte, `at most ${Math.round(most / mebibyte)} MiB`);
});
