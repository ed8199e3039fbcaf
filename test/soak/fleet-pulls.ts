import t from 'tap';
import { mebibyte } from '../support/content-kit.ts';
import { buildFleetImage, checkColdPull, checkPullsThroughKills } from '../support/fleet-pulls.ts';
import { openFrontedFleet } from '../support/fronted-fleet.ts';

const limitMs = 1_800_000;
t.setTimeout(limitMs);

const clients = Number(process.env['ASSAY_CLIENTS'] ?? 500);
const everyMs = Number(process.env['ASSAY_KILL_MS'] ?? 5_000);
const kills = Number(process.env['ASSAY_KILLS'] ?? 12);

t.test('five hundred clients of three replicas behind nginx', async (t) => {
  t.setTimeout(limitMs);
  const fleet = await openFrontedFleet(t, { count: 3, connections: 16 * clients });
  if (fleet === undefined) return;
  const image = buildFleetImage('cold', [9 * mebibyte + 5, mebibyte, 70_000]);
  await t.test('a cold image comes once from upstream, and from all replicas', (t) => {
    t.setTimeout(limitMs);
    return checkColdPull(t, fleet, image, clients);
  });
  await t.test('a replica that is killed every few seconds harms nobody', (t) => {
    t.setTimeout(limitMs);
    const layerSizes = [2 * mebibyte, 300_000];
    return checkPullsThroughKills(t, fleet, { clients, everyMs, kills, layerSizes });
  });
});
