import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { watchDrops } from '../../src/compose/airgap-drop.ts';
import { importApart } from '../../src/compose/drop-import.ts';
import { loadConfig } from '../../src/config/load.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { signatureOf } from '../support/app-kit.ts';
import { buildImage } from '../support/build-image.ts';
import { type FullBundle, writeFullBundle } from '../support/bundle-kit.ts';
import { makeCountingMetrics, makeKeptLog } from '../support/silence.ts';
import { flip, makeZone, type ZoneKit } from '../support/zone-kit.ts';

const app = buildImage({ name: 'app' });

const signed = [signatureOf(app.descriptor)];

async function zoneWith(t: Test, evidence = signed) {
  const zone = makeZone(t, { airgap: { drop: ['./drop'] } });
  const folder = join(zone.folder, 'drop', '1');
  mkdirSync(folder, { recursive: true });
  const images = [{ name: 'docker.io/library/app:1.0', artifact: app, evidence }];
  // The process that imports has the clock of the machine.
  const bundle = await writeFullBundle({ folder, images, created: '2025-01-01T00:00:00Z' });
  return { zone, bundle };
}

function apart(zone: ZoneKit, { folder }: Pick<FullBundle, 'folder'>) {
  const { signal } = new AbortController();
  return loadConfig(zone.file).then((config) => importApart(config, folder, signal));
}

t.test('a bundle that comes into a drop folder is published', async (t) => {
  const { zone } = await zoneWith(t);
  const opened = new AsyncDisposableStack();
  t.teardown(() => opened.disposeAsync());
  const [metrics, log] = [makeCountingMetrics(), makeKeptLog()];
  watchDrops(await loadConfig(zone.file), { clock: systemClock, metrics, log }, opened, 50);
  const limit = AbortSignal.timeout(20_000);
  while (metrics.counted('assay_airgap_drops_total') === 0) {
    limit.throwIfAborted();
    await pause(20);
  }
  t.equal(metrics.counted('assay_airgap_drops_total', { outcome: 'published' }), 1);
  t.match(log.lines, [{ level: 'info', fields: { sequence: 1, generation: 1 } }]);
  t.ok(existsSync(join(zone.store, 'published.json')));
});

t.test('what is refused, damaged or not whole is told apart', async (t) => {
  const { zone, bundle } = await zoneWith(t, []);
  t.match(await apart(zone, bundle), {
    outcome: 'refused',
    isPassing: false,
    because: /^docker\.io\/library\/app:1\.0: /,
  });
  t.match(await apart(zone, { folder: join(zone.folder, 'drop') }), {
    outcome: 'failed',
    isPassing: true,
    because: /^METADATA_MISSING: /,
  });
  flip(join(bundle.folder, 'metadata', 'timestamp.json'), 200);
  t.match(await apart(zone, bundle), { outcome: 'failed', isPassing: false });
});

t.test('whoever stops the server waits for no import', async (t) => {
  const { zone, bundle } = await zoneWith(t);
  const stopped = importApart(await loadConfig(zone.file), bundle.folder, AbortSignal.abort());
  await t.rejects(stopped, { name: 'AbortError' });
});

t.test('without drop folders nothing is looked at', async (t) => {
  const zone = makeZone(t);
  const opened = new AsyncDisposableStack();
  const observed = { clock: systemClock, metrics: makeCountingMetrics(), log: makeKeptLog() };
  watchDrops(await loadConfig(zone.file), observed, opened);
  await opened.disposeAsync();
  t.notOk(readdirSync(zone.folder).includes('store'));
});
