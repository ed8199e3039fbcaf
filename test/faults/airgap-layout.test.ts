import { once } from 'node:events';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { importAirgapLayout } from '../../src/compose/airgap-import-layout.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { FileSystem } from '../../src/storage/file-system.ts';
import { signatureOf } from '../support/app-kit.ts';
import { buildImage } from '../support/build-image.ts';
import { makeFaultyFiles } from '../support/faulty-files.ts';
import { makeFullDisk } from '../support/full-disk.ts';
import { runInProcess, startAssay } from '../support/run-assay.ts';
import { openSeed } from '../support/seeded-random.ts';
import { writeLayout } from '../support/write-layout.ts';
import { makeZone, type ZoneKit } from '../support/zone-kit.ts';

const app = buildImage({ name: 'app', layerSizes: [600_000, 3_000] });
const entries = [
  { artifact: app, tag: 'docker.io/vendor/app:1.0' },
  { artifact: signatureOf(app.descriptor) },
];

function prepare(t: Test): { readonly zone: ZoneKit; readonly layout: string } {
  const zone = makeZone(t);
  const layout = join(zone.folder, 'layout');
  writeLayout(layout, entries);
  return { zone, layout };
}

async function take(zone: ZoneKit, path: string, files?: FileSystem) {
  const wish = {
    path,
    mode: 'import',
    untrusted: 'refuse-all',
    repository: undefined,
    onProgress: () => undefined,
  } as const;
  const { signal } = new AbortController();
  const overrides = { clock: zone.clock, ...(files && { files }) };
  return importAirgapLayout(await loadConfig(zone.file), wish, signal, overrides);
}

/** What is sealed has the times of the import in it. */
function keptOf(zone: ZoneKit): readonly string[] {
  return Object.entries(zone.contents()).map(([name, hash]) =>
    /^(?:state-|published)/.test(name) ? name : `${name} ${hash}`,
  );
}

let undisturbed: readonly string[] = [];
let calls = 0;

t.test('a layout that has room', async (t) => {
  const { zone, layout } = prepare(t);
  const files = makeFullDisk();
  t.match(await take(zone, layout, files), { outcome: 'published', generation: 1 });
  undisturbed = keptOf(zone);
  calls = files.count();
  t.ok(calls > 30, `it needs room ${calls} times`);
  t.strictSame(
    readdirSync(join(zone.store, 'staging')).filter((name) => name === 'layout'),
    [],
    'nothing of its work is left',
  );
});

// The last of them are those of what is taken away, which never makes an import fail.
const stages = 8;
for (let stage = 0; stage < stages; stage += 1) {
  t.test(`a disk that is full at stage ${stage} of ${stages} of a layout is said`, async (t) => {
    const first = 1 + Math.round((stage * (calls - 1)) / stages);
    const { zone, layout } = prepare(t);
    await t.rejects(take(zone, layout, makeFullDisk(first)), { code: 'NO_SPACE' }, `call ${first}`);
    t.match((await take(zone, layout)).outcome, /^published$|^held$/);
    t.strictSame(keptOf(zone), undisturbed, 'the store is as it would be');
  });
}

t.test('what went wrong first is told, not that the lock could not be dropped', async (t) => {
  const { zone, layout } = prepare(t);
  const files = makeFaultyFiles();
  files.fail('rename', /published\.json/, 'ENOSPC');
  files.fail('rename', /\.dropped$/, 'EIO');
  await t.rejects(take(zone, layout, files), { code: 'NO_SPACE' });
});

t.test('a second import takes nothing from the first, and leaves its files alone', async (t) => {
  const { zone, layout } = prepare(t);
  let second: Promise<unknown> | undefined;
  const files = makeFaultyFiles();
  const watching: FileSystem = {
    ...files,
    statfs: (async (path) => {
      second ??= take(zone, layout).catch((error: unknown) => error);
      await second;
      return files.statfs(path);
    }) as FileSystem['statfs'],
  };
  t.match(await take(zone, layout, watching), { outcome: 'published' });
  t.match(await second, { code: 'STORE_BUSY' });
  t.strictSame(keptOf(zone), undisturbed);
});

t.test('killed at any moment, a layout ends in the same store', async (t) => {
  t.setTimeout(60_000);
  const random = openSeed(t);
  const { zone, layout } = prepare(t);
  const words = ['airgap', 'import', '--format', 'oci', '--config', zone.file, layout];
  const lock = join(zone.store, 'import.lock');
  let kills = 0;
  for (let round = 0; round < 2; round += 1) {
    rmSync(zone.store, { recursive: true, force: true });
    const child = startAssay(words);
    const gone = once(child, 'exit');
    while (child.exitCode === null && !existsSync(lock)) await pause(2);
    await pause(random.between(0, 120));
    if (child.exitCode === null) kills += 1;
    child.kill('SIGKILL');
    await gone;
    const run = await runInProcess(words);
    t.equal(run.code, 0, run.stderr);
    t.strictSame(keptOf(zone), undisturbed, 'as if nobody had been killed');
  }
  t.comment(`${kills} kills`);
});
