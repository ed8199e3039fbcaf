import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Test } from 'tap';
import { signatureOf } from './app-kit.ts';
import { buildImage } from './build-image.ts';
import { type FullBundle, writeFullBundle } from './bundle-kit.ts';
import { runInProcess, startAssay } from './run-assay.ts';
import { openSeed } from './seeded-random.ts';
import { contentsOf, makeZone, type ZoneKit } from './zone-kit.ts';

/** What is sealed has the times of the import in it, and so has the receipt a key of its own. */
const timed = /^(?:state-[ab]|published\.json)$/;

/**
 * Kills `assay airgap import` at moments that the seed chooses, counted from when it has the store
 * to itself, again and again until one comes through: then the store must be as one that nothing
 * disturbed leaves it.
 */
export async function runImportKillRounds(t: Test, rounds: number): Promise<void> {
  const random = openSeed(t);
  const zone = makeZone(t);
  const bundles = await writeStream(zone);
  await importAll(t, zone, bundles);
  const expected = keptOf(zone);
  let kills = 0;
  while (kills < rounds && t.passing()) {
    rmSync(zone.store, { recursive: true, force: true });
    for (const { folder } of bundles) {
      const killsHere = random.between(0, 2);
      for (let kill = 0; kill < killsHere; kill += 1) {
        if (await killOnce(zone, folder, random.between(0, 160))) kills += 1;
      }
      const run = await runInProcess(['airgap', 'import', '--config', zone.file, folder]);
      t.equal(run.code, 0, `after ${kills} kills: ${run.stderr}`);
    }
    t.strictSame(keptOf(zone), expected, 'the store is as if nobody had been killed');
  }
  t.comment(`${kills} kills`);
}

async function writeStream(zone: ZoneKit): Promise<readonly FullBundle[]> {
  const images = ['one', 'two'].map((name) => {
    const artifact = buildImage({ name, layerSizes: [700_000, 90_000, 20] });
    const evidence = [signatureOf(artifact.descriptor)];
    return { name: `docker.io/library/${name}:1.0`, artifact, evidence };
  });
  const times = { created: '2026-11-01T00:00:00Z', expires: { timestamp: '2049-01-01T00:00:00Z' } };
  const first = await writeFullBundle({
    ...times,
    folder: join(zone.folder, '1'),
    volumeBytes: 300_000,
    images: images.slice(0, 1),
  });
  const second = await writeFullBundle({
    ...times,
    folder: join(zone.folder, '2'),
    volumeBytes: 300_000,
    sequence: 2,
    previous: first.asPrevious,
    images,
  });
  return [first, second];
}

async function importAll(t: Test, zone: ZoneKit, bundles: readonly FullBundle[]): Promise<void> {
  for (const { folder } of bundles) {
    const run = await runInProcess(['airgap', 'import', '--config', zone.file, folder]);
    t.equal(run.code, 0, run.stderr);
  }
}

/** Whether it was at work when it was killed. */
async function killOnce({ file, store }: ZoneKit, folder: string, afterMs: number) {
  const child = startAssay(['airgap', 'import', '--config', file, folder]);
  const gone = once(child, 'exit');
  const lock = join(store, 'import.lock');
  while (child.exitCode === null && !existsSync(lock)) await pause(2);
  await pause(afterMs);
  const isAtWork = child.exitCode === null;
  child.kill('SIGKILL');
  await gone;
  return isAtWork;
}

function keptOf({ store }: ZoneKit): readonly string[] {
  return Object.entries(contentsOf(store)).map(([name, hash]) =>
    timed.test(name) ? name : `${name} ${hash}`,
  );
}
