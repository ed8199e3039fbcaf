import t from 'tap';
import { makeBarrier } from '../support/barrier.ts';
import {
  expectWhole,
  mebibyte,
  openContentKit,
  withheldBytes,
  withContent,
} from '../support/content-kit.ts';

/**
 * Many clients that ask for the same layer while it is not there yet: one fetch for all of them,
 * which is nobody's in particular.
 */

t.setTimeout(60_000);

const clients = 200;

t.test('two hundred cold pulls fetch each digest once', async (t) => {
  const kit = await openContentKit(t, { layerSizes: [8 * mebibyte, 8 * mebibyte + 1] });
  const outcomes = await Promise.all(
    kit.image.blobs.flatMap((blob) =>
      Array.from({ length: clients }, () => kit.open({ blob }).ended),
    ),
  );
  const whole = outcomes.filter(
    ({ status, isComplete, isRightSoFar }) => status === 200 && isComplete && isRightSoFar,
  );
  t.equal(whole.length, clients * kit.image.blobs.length, 'everybody gets all of everything');
  for (const blob of kit.image.blobs) t.equal(kit.fetches(blob).length, 1);
});

t.test('two hundred clients have the first bytes before upstream has sent the rest', async (t) => {
  const size = 64 * mebibyte;
  const kit = await openContentKit(t, { layerSizes: [size] });
  const until = makeBarrier();
  const asked = performance.now();
  let upstreamMs = Infinity;
  kit.setLayerFault((answer) => {
    upstreamMs = performance.now() - asked;
    return { ...answer, pauseAt: { bytes: size / 2, until } };
  });
  // One process is all sides: most of them are content with a part.
  const pulls = Array.from({ length: clients }, (_, at) =>
    kit.open(at < 180 ? { stallAfter: 1 } : {}),
  );
  await Promise.all(pulls.map((pull) => pull.reaches(1)));
  t.pass('everybody has some while upstream holds back the second half');
  until.release();
  for (const pull of pulls.slice(180)) await expectWhole(t, pull, 'who reads on');
  for (const pull of pulls) pull.kill();
  const outcomes = await Promise.all(pulls.map(({ ended }) => ended));
  t.equal(kit.fetches().length, 1, 'the layer was fetched once');

  const waited = outcomes.map(({ firstByteMs }) => firstByteMs).toSorted((a, b) => a - b);
  const at = (share: number): string => waited[Math.ceil(share * clients) - 1]!.toFixed(0);
  t.comment(
    `first byte after ${at(0.5)} ms (median), ${at(0.99)} ms (p99);` +
      ` upstream was asked after ${upstreamMs.toFixed(0)} ms`,
  );
});

t.test('whoever leaves, first or last but one, changes nothing for the rest', async (t) => {
  const kit = await openContentKit(t, { layerSizes: [16 * mebibyte] });
  const until = makeBarrier();
  const pauseAt = { bytes: 4 * mebibyte, until };
  kit.setLayerFault((answer) => ({ ...answer, pauseAt }));
  const first = kit.open();
  await first.reaches(mebibyte);
  const others = Array.from({ length: clients - 1 }, () => kit.open());
  await Promise.all(others.map((pull) => pull.reaches(mebibyte)));
  first.kill();
  await first.ended;
  t.pass('the first client is gone');
  for (const other of others.slice(1)) other.kill();
  await Promise.all(others.slice(1).map(({ ended }) => ended));
  t.equal(kit.registry.open > 0, true, 'the connection upstream is there');
  until.release();
  await expectWhole(t, others[0]!, 'the one who stays');
  await expectWhole(t, kit.open(), 'who comes later');
  t.equal(kit.fetches().length, 1, 'all of it was one fetch');
});

t.test('who comes in the middle gets all of it from the same fetch', async (t) => {
  const kit = await openContentKit(t, { layerSizes: [8 * mebibyte] });
  const until = makeBarrier();
  kit.setLayerFault((answer) => ({ ...answer, pauseAt: { bytes: 6 * mebibyte, until } }));
  const first = kit.open();
  await first.reaches(6 * mebibyte - withheldBytes - 64 * 1024);
  const second = kit.open();
  await second.reaches(5 * mebibyte);
  t.equal(await second.answered, 200);
  until.release();
  await expectWhole(t, first, 'the first');
  await expectWhole(t, second, 'the second');
  t.equal(kit.fetches().length, 1);
});

t.test('what was pulled once is served after a restart, without upstream', async (t) => {
  const kit = await openContentKit(t, { layerSizes: [3 * mebibyte, 1000] });
  for (const blob of kit.image.blobs) await expectWhole(t, kit.open({ blob }), 'a client');
  await kit.registry.close();
  for (const blob of kit.image.blobs) {
    await expectWhole(t, kit.open({ blob }), 'with upstream down a client');
  }
  const { registry, image } = kit;
  const restarted = withContent(t, await kit.restarted(), registry, image);
  for (const blob of image.blobs) {
    await expectWhole(t, restarted.open({ blob }), 'after a restart a client');
  }
  const manifest = await restarted.ask(`reg/app/manifests/${image.descriptor.digest}`);
  t.equal(manifest.status, 200, 'its manifest is there too');
  t.equal(kit.fetches().length, 1);
});

t.test('content that upstream deleted is kept', async (t) => {
  const kit = await openContentKit(t);
  await expectWhole(t, kit.open(), 'a client');
  kit.registry.setFault(({ path }) => (path.includes('/blobs/') ? { status: 404 } : undefined));
  await expectWhole(t, kit.open(), 'after that a client');
  const head = await kit.open({ method: 'HEAD' }).ended;
  t.equal(head.status, 200);
  t.equal(head.headers.get('content-length'), String(kit.layer.descriptor.size));
});

t.test('a fill that everybody has left is finished, or gone on with', async (t) => {
  const kit = await openContentKit(t, { layerSizes: [8 * mebibyte] });
  const until = makeBarrier();
  kit.setLayerFault((answer) =>
    kit.fetches().length > 1 ? answer : { ...answer, pauseAt: { bytes: 6 * mebibyte, until } },
  );
  const only = kit.open();
  await only.reaches(5 * mebibyte);
  only.kill();
  await only.ended;
  until.release();
  await expectWhole(t, kit.open(), 'who comes later');
  const [, second, ...more] = kit.fetches();
  t.same(more, []);
  if (second !== undefined) t.match(second.headers.range, /^bytes=[1-9]\d*-$/, 'by Range');
});
