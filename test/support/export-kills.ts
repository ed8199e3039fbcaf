import { once } from 'node:events';
import { mkdirSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Test } from 'tap';
import { signatureOf, writeConfiguration } from './app-kit.ts';
import { type Artifact, buildImage } from './build-image.ts';
import { type ExportKit, makeExportKit } from './export-kit.ts';
import { type Run, runInProcess, startAssay } from './run-assay.ts';
import { openScriptedRegistry } from './scripted-registry.ts';
import { openSeed, type SeededRandom } from './seeded-random.ts';

const volumeSize = '64KiB';

/**
 * Kills `assay airgap export` again and again, at moments that the seed chooses: after so many
 * changes in its folders, or after so long. Each time the same command must end in a bundle that
 * verifies, with all content, and the stream must have one bundle a number, each naming the one
 * before it.
 */
export async function runExportKills(t: Test, rounds: number, maxKills = 3): Promise<void> {
  const random = openSeed(t);
  const registry = await openScriptedRegistry(t);
  const kit = await makeExportKit(writeConfiguration(t, { upstreams: { reg: registry.origin } }));
  let last: { readonly sequence: number; readonly snapshot: string } | undefined;
  for (let round = 0; round < rounds; round += 1) {
    await t.test(`round ${round}`, async (inner) => {
      const image = makeImage(random, round);
      registry.put('app', image, `v${round}`);
      registry.put('app', signatureOf(image.descriptor));
      const tags = Array.from({ length: round + 1 }, (_, index) => `reg/app:v${index}`);
      const list = `images: [${tags.slice(-3).join(', ')}]`;
      const isDelta = last !== undefined && random.between(0, 1) === 1;
      const since = isDelta ? ['--since', String(last?.sequence)] : [];
      const out = `bundle-${round}`;
      const kills = random.between(1, maxKills);
      for (let kill = 0; kill < kills; kill += 1) {
        await killOnce(kit, list, out, since, random);
      }
      const { code, stderr } = await finish(kit, list, out, since);
      // It may have been killed when nothing was left to do but to say so.
      const isWhole = code === 0 || /holds a bundle already/.test(stderr);
      inner.ok(isWhole, `it ends: ${code} ${stderr}`);
      const { document, metadata, records } = await kit.open(out);
      inner.equal(document.sequence, metadata.sequence);
      inner.ok(document.sequence > (last?.sequence ?? 0), `number ${document.sequence}`);
      inner.same(document.previous?.snapshot, last?.snapshot, 'it names the one before it');
      const listed = new Set(records.map(({ digest }) => digest));
      for (const { descriptor } of image.blobs) inner.ok(listed.has(descriptor.digest));
      last = { sequence: document.sequence, snapshot: metadata.snapshot };
    });
    if (!t.passing()) break;
  }
}

function makeImage(random: SeededRandom, round: number): Artifact {
  const layerSizes = [random.between(1, 700_000), random.between(0, 100_000)];
  return buildImage({ name: `${random.seed}/${round}`, layerSizes });
}

function wordsFor(kit: ExportKit, list: string, out: string, since: readonly string[]) {
  const file = join(kit.folder, 'images.yaml');
  writeFileSync(file, list);
  const about = ['--images', file, '--out', join(kit.folder, out), '--keys', kit.keys];
  const how = ['--config', kit.file, '--volume-size', volumeSize, ...since];
  return ['airgap', 'export', ...about, ...how];
}

function finish(kit: ExportKit, list: string, out: string, since: readonly string[]): Promise<Run> {
  return runInProcess(wordsFor(kit, list, out, since));
}

async function killOnce(
  kit: ExportKit,
  list: string,
  out: string,
  since: readonly string[],
  random: SeededRandom,
): Promise<void> {
  const folder = join(kit.folder, out);
  mkdirSync(folder, { recursive: true });
  const child = startAssay(wordsFor(kit, list, out, since));
  const gone = once(child, 'exit');
  const kill = (): boolean => child.kill('SIGKILL');
  const changes = random.between(1, 120);
  let seen = 0;
  const watcher = watch(folder, { recursive: true }, () => {
    seen += 1;
    if (seen >= changes) kill();
  });
  // Before it has begun, too; and whatever happens, in the end.
  const isEarly = random.between(0, 5) === 0;
  const late = pause(isEarly ? random.between(0, 2500) : 20_000, undefined, { ref: false });
  await Promise.race([gone, late.then(kill)]);
  await gone;
  watcher.close();
}
