import { once } from 'node:events';
import { readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { CacheStats, Purged, ScrubReport } from '../../src/compose/cache.ts';
import type { BuiltBlob } from '../support/build-image.ts';
import { checkStore } from '../support/check-store.ts';
import {
  type ContentKit,
  eventually,
  expectWhole,
  mebibyte,
  openContentKit,
} from '../support/content-kit.ts';
import { type Run, runAssay, startAssay } from '../support/run-assay.ts';

interface LiveKit extends ContentKit {
  /** Runs `assay cache …` in a process of its own, on the same configuration. */
  cache(...words: readonly string[]): Promise<Run>;
  json<T>(...words: readonly string[]): Promise<T>;
  pull(blob: BuiltBlob): Promise<void>;
}

/** A server with an image of two layers, both stored. */
async function openLiveKit(t: Test): Promise<LiveKit> {
  const kit = await openContentKit(t, { layerSizes: [6 * mebibyte, 2 * mebibyte] });
  const config = join(t.testdirName, 'assay.yaml');
  const cache = (...words: readonly string[]): Promise<Run> =>
    runAssay(['cache', ...words, '--config', config]);
  const pull = async (blob: BuiltBlob): Promise<void> => {
    await expectWhole(t, kit.open({ blob }), 'a client');
    await eventually(async () => {
      const { stored } = await checkStore(kit.dataFolder);
      return stored.includes(blob.descriptor.digest);
    });
  };
  for (const blob of kit.image.blobs.slice(1)) await pull(blob);
  const json = async <T>(...words: readonly string[]): Promise<T> =>
    JSON.parse((await cache(...words, '--json')).stdout) as T;
  return { ...kit, cache, json, pull };
}

t.test('beside a live server what it stored is counted and found right', async (t) => {
  const { cache, json } = await openLiveKit(t);
  t.match(await json<CacheStats>('stats'), { blobs: { files: 2, bytes: 8 * mebibyte } });
  const run = await cache('scrub');
  t.equal(run.code, 0);
  t.match(run.stdout, /^scrubbed 2 files, 8\.0 MiB: none bad\n$/);
  t.equal(run.stderr, '', 'no progress without a terminal');
});

t.test('what a scrub puts aside the live server fetches again', async (t) => {
  const { cache, layer, dataFolder, fetches, pull } = await openLiveKit(t);
  const file = join(dataFolder, 'blobs', ...layer.descriptor.digest.split(':'));
  const bytes = await readFile(file);
  bytes[3 * mebibyte]! ^= 1;
  await writeFile(file, bytes);
  const run = await cache('scrub', '--json');
  t.equal(run.code, 1);
  t.match(JSON.parse(run.stdout), { bad: 1, badDigests: [layer.descriptor.digest] });
  t.equal(fetches().length, 1);
  await pull(layer);
  t.equal(fetches().length, 2);
  t.strictSame((await checkStore(dataFolder)).complaints, []);
});

t.test('what is purged from under readers comes whole to them, and again later', async (t) => {
  const { json, layer, open, fetches, pull, dataFolder } = await openLiveKit(t);
  const readers = Array.from({ length: 5 }, () => open({ stallAfter: 64 * 1024 }));
  await Promise.all(readers.map((reader) => reader.reaches(64 * 1024)));
  const purged = await json<Purged>('purge', '--all', '--yes');
  t.match(purged, { blobs: { files: 2, bytes: 8 * mebibyte } });
  t.strictSame((await checkStore(dataFolder)).stored, []);
  for (const reader of readers) reader.resume();
  for (const reader of readers) await expectWhole(t, reader, 'a reader');
  t.equal(fetches().length, 1);
  await pull(layer);
  t.equal(fetches().length, 2);
});

t.test('a scrub that is interrupted says how far it came, and where to go on', async (t) => {
  const { json } = await openLiveKit(t);
  const config = join(t.testdirName, 'assay.yaml');
  const words = ['cache', 'scrub', '--rate', '64 KiB', '--json', '--config', config];
  const child = startAssay(words);
  let stdout = '';
  child.stdout?.on('data', (text: Buffer) => {
    stdout += text.toString();
  });
  await eventually(async () => (await isReading(child.pid)) || child.exitCode !== null);
  child.kill('SIGINT');
  const [code] = (await once(child, 'close')) as [number];
  t.equal(code, 2);
  const report = JSON.parse(stdout) as ScrubReport;
  t.match(report, { isComplete: false, bad: 0 });
  const after = report.position === undefined ? [] : ['--after', report.position];
  const rest = await json<ScrubReport>('scrub', ...after);
  t.equal(report.files + rest.files, 2);
});

/** Whether a process has one of the stored blobs open. */
async function isReading(pid: number | undefined): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  const open = await readdir(folder).catch(() => []);
  const files = await Promise.all(open.map((fd) => readlink(join(folder, fd)).catch(() => '')));
  return files.some((file) => /\/blobs\/sha256\/[0-9a-f]{64}$/.test(file));
}
