import t, { type Test } from 'tap';
import { makeBarrier } from '../support/barrier.ts';
import { mebibyte } from '../support/content-kit.ts';
import { buildFleetImage, checkColdPull, openFleetClients } from '../support/fleet-pulls.ts';
import { type FrontedFleet, openFrontedFleet } from '../support/fronted-fleet.ts';

t.setTimeout(180_000);

/** The soak test has more of all. */
const count = Number(process.env['ASSAY_CLIENTS'] ?? 40);
const terms = { count: 3, connections: 16 * count };

t.test('three replicas behind nginx, which asks them in turn', async (t) => {
  t.setTimeout(180_000);
  const fleet = await openFrontedFleet(t, terms);
  if (fleet === undefined) return;
  await t.test('one cold image', (t) => pullCold(t, fleet));
  await t.test('the one that fetches dies in the middle of it', (t) => killWhoFetches(t, fleet));
});

async function pullCold(t: Test, fleet: FrontedFleet): Promise<void> {
  t.setTimeout(180_000);
  const image = buildFleetImage('cold', [9 * mebibyte + 5, mebibyte, 70_000]);
  await checkColdPull(t, fleet, image, count);
}

async function killWhoFetches(t: Test, fleet: FrontedFleet): Promise<void> {
  t.setTimeout(180_000);
  const { registry } = fleet;
  for (const round of [1, 2]) {
    const image = buildFleetImage(`round ${round}`, [2 * mebibyte, 300_000]);
    const [layer] = image.children[0]!.blobs.slice(1);
    const { digest } = layer!.descriptor;
    const path = `/v2/app/blobs/${digest}`;
    fleet.put('app', image, `killed-${round}`);
    // The first who fetches the layer gets half of it.
    const until = makeBarrier();
    registry.setFault((request, answer) =>
      request.path === path && registry.seen(path).length === 1
        ? { ...answer, pauseAt: { bytes: mebibyte, until } }
        : undefined,
    );
    const isSent = Promise.withResolvers<void>();
    const clients = openFleetClients(t, fleet, count, (of) => of === digest && isSent.resolve());
    const pulling = clients.pull('reg/app', `killed-${round}`, image);
    const early = await Promise.race([isSent.promise, pulling]);
    t.strictSame(early ?? [], [], 'nobody is through before half of it is there');
    await fleet.restart(fleet.askedBy(registry.seen(path)[0]!));
    t.strictSame(await pulling, [], 'each gets all of it all the same');
    until.release();
    t.match(clients.asked(), 'broke off', 'though some lost what they had begun');
    t.notMatch(clients.asked(), '502', 'and nginx had others to ask');
    t.equal(registry.seen(path).length, 2, 'once more from upstream');
    t.comment(`asked again for: ${clients.asked()}`);
  }
}
