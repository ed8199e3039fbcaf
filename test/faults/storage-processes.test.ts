import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { systemClock } from '../../src/kernel/clock.ts';
import { openFsBlobStore } from '../../src/storage/fs-blob-store.ts';
import { begun, makeContent, readBack } from '../contract/blob-store.ts';
import { makeBarrier } from '../support/barrier.ts';
import { serveBlob, startFillProcess } from '../support/fill-process.ts';

/** Several processes over one folder: one of them fetches, and no death of one holds up another. */

const mebibyte = 1024 * 1024;
const content = makeContent(8 * mebibyte);
const { name, bytes } = content;

function makeFolder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'assay-processes-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

t.test('of three processes one fetches, and all get all of it while it comes', async (t) => {
  const path = makeFolder(t);
  const until = makeBarrier();
  const server = await serveBlob(t, content, until);
  const processes = [1, 2, 3].map(() => startFillProcess(t, path, server.url, content));
  await Promise.all(processes.map(({ begun }) => begun));
  until.release();
  for (const { ended } of processes) t.equal(await ended, name.digest);
  t.strictSame(server.starts, [0]);
});

t.test('after a kill the next process goes on with what the killed one had', async (t) => {
  const path = makeFolder(t);
  const until = makeBarrier();
  const server = await serveBlob(t, content, until);
  const killed = startFillProcess(t, path, server.url, content);
  await killed.begun;
  const store = await openFsBlobStore({ path }, { clock: systemClock });
  let came = 0;
  while (came < 4 * mebibyte) came = (await store.usage()).partial.bytes;
  await killed.kill();
  until.release();
  const next = startFillProcess(t, path, server.url, content);
  t.equal(await next.ended, name.digest);
  t.strictSame(server.starts, [0, 4 * mebibyte], 'not a byte is fetched again');
  // It has all bytes before they are in their place.
  while ((await store.stat(name.digest)) === undefined) await new Promise(setImmediate);
  t.ok((await readBack(store, name))?.equals(bytes));
  await store.close();
});

t.test('who follows a killed process has an error, and the next one all of it', async (t) => {
  const path = makeFolder(t);
  const until = makeBarrier();
  const server = await serveBlob(t, content, until);
  const killed = startFillProcess(t, path, server.url, content);
  await killed.begun;
  const following = startFillProcess(t, path, server.url, content);
  await following.begun;
  await killed.kill();
  t.match(await following.ended, /was given up by who stored it/);
  until.release();
  t.equal(await startFillProcess(t, path, server.url, content).ended, name.digest);
});

t.test('what a killed process held is anybody’s at once, and a sweep leaves it', async (t) => {
  const path = makeFolder(t);
  const until = makeBarrier();
  const server = await serveBlob(t, content, until);
  const killed = startFillProcess(t, path, server.url, content);
  await killed.begun;
  const store = await openFsBlobStore({ path }, { clock: systemClock });
  t.equal(await store.begin(name), 'taken');
  await killed.kill();
  await store.sweep(new AbortController().signal);
  const staging = await begun(store, name);
  t.ok(staging.prefixBytes > 0);
  await staging.discard();
  await staging.release();
  await store.close();
});
