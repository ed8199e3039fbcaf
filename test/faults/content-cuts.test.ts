import t, { type Test } from 'tap';
import { signatureOf, startAppKit } from '../support/app-kit.ts';
import { makeBarrier } from '../support/barrier.ts';
import { type BlobClient, openBlobClient } from '../support/blob-client.ts';
import { type BuiltBlob, buildImage } from '../support/build-image.ts';
import { checkStore } from '../support/check-store.ts';
import {
  type ContentKit,
  eventually,
  expectWhole,
  mebibyte,
  openContentKit,
} from '../support/content-kit.ts';
import {
  type Fault,
  openScriptedRegistry,
  type ScriptedRegistry,
} from '../support/scripted-registry.ts';

/** Upstreams that break off, hang or crawl: what came is not fetched again, others do not wait. */

const size = 8 * mebibyte;

/** Where the fetches of the layer began. */
function startsOf(kit: ContentKit): readonly (number | 'whole')[] {
  return kit.fetches().map(({ headers: { range } }) => {
    const match = /^bytes=(\d+)-$/.exec(range ?? '');
    return match === null ? 'whole' : Number(match[1]);
  });
}

t.test('after a cut upstream the rest comes by Range, and clients notice nothing', async (t) => {
  const kit = await openContentKit(t, { layerSizes: [size] });
  const cutAt = 5 * mebibyte;
  kit.setLayerFault((answer) => (kit.fetches().length > 1 ? answer : { ...answer, cutAt }));
  const pulls = Array.from({ length: 10 }, () => kit.open());
  for (const pull of pulls) await expectWhole(t, pull, 'a client');
  const [first, second, ...more] = startsOf(kit);
  t.equal(first, 'whole');
  t.ok(typeof second === 'number' && second > 0 && second <= cutAt, `then from ${second}`);
  t.same(more, []);
  const ifRange = kit.fetches()[1]?.headers['if-range'];
  t.equal(ifRange, `"${kit.layer.descriptor.digest}"`, 'if it is still the same');
  await expectWhole(t, kit.open(), 'from the store a client');
});

t.test('a layer that comes in ten pieces comes', async (t) => {
  const kit = await openContentKit(t, { layerSizes: [size] });
  kit.setLayerFault((answer) => {
    const bytes = Buffer.from(answer.body as Uint8Array).length;
    return bytes > mebibyte ? { ...answer, cutAt: mebibyte } : answer;
  });
  let outcome = await kit.open().ended;
  // A fill may give up after some breaks; who asks again goes on where it was.
  for (let tries = 1; tries < 10 && !outcome.isComplete; tries += 1) {
    outcome = await kit.open().ended;
  }
  t.ok(outcome.isComplete && outcome.isRightSoFar);
  const [, ...starts] = startsOf(kit);
  t.ok(
    starts.every((start) => typeof start === 'number'),
    `from ${starts.join(', ')}`,
  );
  t.same(
    starts,
    starts.toSorted((a, b) => Number(a) - Number(b)),
    'never from further back',
  );
});

t.test(
  'a cut after which upstream has other content ends in the right bytes or none',
  async (t) => {
    const kit = await openContentKit(t, { layerSizes: [size] });
    const etag = '"another"';
    kit.setLayerFault((answer, { headers }) => {
      if (kit.fetches().length === 1) return { ...answer, cutAt: 5 * mebibyte };
      // It is another representation by now: If-Range fails, the whole is sent.
      if (headers['if-range'] === undefined)
        return { ...answer, headers: { ...answer.headers, etag } };
      return { status: 200, headers: { ...answer.headers, etag }, body: kit.layer.bytes };
    });
    const { isComplete, isRightSoFar } = await kit.open().ended;
    t.ok(isRightSoFar, isComplete ? 'complete and right' : 'right as far as it came');
    kit.setLayerFault(undefined);
    await expectWhole(t, kit.open(), 'the next client');
  },
);

t.test('an upstream that ignores Range, or answers it wrongly, does no harm', async (t) => {
  const wrong = {
    'ignores it': () => ({ status: 200 }),
    'refuses it': () => ({ status: 416, body: '' }),
    'gives another part': (bytes: Uint8Array) => ({
      status: 206,
      headers: { 'content-range': `bytes 0-${bytes.length - 1}/${bytes.length}` },
    }),
    'says no part': () => ({ status: 206, headers: {} }),
  } as const;
  for (const [what, step] of Object.entries(wrong)) {
    await t.test(`it ${what}`, async (t) => {
      const kit = await openContentKit(t, { layerSizes: [size] });
      const { bytes } = kit.layer;
      kit.setLayerFault((answer, { headers }) => {
        if (kit.fetches().length === 1) return { ...answer, cutAt: 3 * mebibyte };
        return headers.range === undefined ? answer : { body: bytes, ...step(bytes) };
      });
      const first = await kit.open().ended;
      t.ok(first.isRightSoFar, first.isComplete ? 'complete and right' : 'right as far as it came');
      kit.setLayerFault(undefined);
      await expectWhole(t, kit.open(), 'a later client');
    });
  }
});

t.test('followers see what failed, and whoever comes next begins anew', async (t) => {
  const kit = await openContentKit(t, { layerSizes: [size] });
  const until = makeBarrier();
  let fetches = 0;
  kit.setLayerFault((answer) => {
    fetches += 1;
    return fetches === 1
      ? { ...answer, pauseAt: { bytes: 2 * mebibyte, until }, cutAt: 2 * mebibyte }
      : { status: 500 };
  });
  const pulls = Array.from({ length: 20 }, () => kit.open());
  await Promise.all(pulls.map((pull) => pull.reaches(mebibyte)));
  until.release();
  const outcomes = await Promise.all(pulls.map(({ ended }) => ended));
  t.ok(
    outcomes.every(({ isComplete }) => !isComplete),
    'nobody takes a part for the whole',
  );
  const tries = fetches;
  t.ok(tries < 20, `upstream was asked ${tries} times for all of them`);
  kit.setLayerFault(undefined);
  await expectWhole(t, kit.open(), 'the next client');
  const starts = startsOf(kit);
  t.not(starts.at(-1), 'whole', `from ${starts.at(-1)}`);
});

async function openPair(t: Test): Promise<Pair> {
  const [first, second] = [await openScriptedRegistry(t), await openScriptedRegistry(t)];
  const image = buildImage({ name: t.fullname, layerSizes: [mebibyte, mebibyte + 1] });
  for (const registry of [first, second]) {
    registry.put('app', image, 'v1');
    registry.put('app', signatureOf(image.descriptor));
  }
  const kit = await startAppKit(t, { upstreams: { first: first.origin, second: second.origin } });
  for (const key of ['first', 'second']) {
    t.equal((await kit.ask(`${key}/app/manifests/v1`)).status, 200);
  }
  const [, layer, other] = image.blobs;
  return {
    first,
    layer: layer!,
    other: other!,
    ask: (key, { bytes, descriptor }) =>
      openBlobClient(t, kit.oci, `/v2/${key}/app/blobs/${descriptor.digest}`, { expected: bytes }),
  };
}

/** An app before two upstreams that have the same image. */
interface Pair {
  readonly first: ScriptedRegistry;
  readonly layer: BuiltBlob;
  readonly other: BuiltBlob;
  ask(key: 'first' | 'second', blob: BuiltBlob): BlobClient;
}

const stuck: Fault = ({ path }, answer) =>
  path.includes('/blobs/') ? { ...answer, hang: 'after-headers' } : undefined;

t.test('an upstream that never goes on holds up nobody who asks another', async (t) => {
  const { first, layer, other, ask } = await openPair(t);
  first.setFault(stuck);
  const waiting = Array.from({ length: 100 }, () => ask('first', layer));
  await Promise.all(waiting.map(({ answered }) => answered));
  t.equal(first.seen(`/v2/app/blobs/${layer.descriptor.digest}`).length, 1, 'asked once for all');
  for (let at = 0; at < 3; at += 1) await expectWhole(t, ask('second', other), 'a client');
  t.ok(
    waiting.every(({ received }) => received === 0),
    'meanwhile nothing came of the other',
  );
});

t.test('a layer that is stuck at one upstream comes from another', async (t) => {
  const { first, layer, ask } = await openPair(t);
  first.setFault(stuck);
  const waiting = ask('first', layer);
  await waiting.answered;
  await expectWhole(t, ask('second', layer), 'who asks the other upstream');
});

t.test('a layer that comes wrong from one upstream comes right from another', async (t) => {
  const { first, layer, ask } = await openPair(t);
  const until = makeBarrier();
  first.setFault(({ path }, answer) =>
    path.includes('/blobs/')
      ? { ...answer, body: Buffer.alloc(mebibyte), pauseAt: { bytes: mebibyte / 2, until } }
      : undefined,
  );
  const waiting = ask('first', layer);
  await waiting.answered;
  const right = ask('second', layer);
  await right.answered;
  until.release();
  t.notOk((await waiting.ended).isComplete, 'who asked the wrong one has nothing whole');
  await expectWhole(t, right, 'who asked the right one');
});

t.test('readers that stall slow neither the fill nor others', async (t) => {
  const kit = await openContentKit(t, { layerSizes: [32 * mebibyte] });
  const stalled = Array.from({ length: 50 }, () => kit.open({ stallAfter: 1 }));
  await Promise.all(stalled.map((pull) => pull.reaches(1)));
  await expectWhole(t, kit.open(), 'one who reads');
  await expectWhole(t, kit.open(), 'another');
  t.equal(kit.fetches().length, 1);
  t.ok(
    stalled.every(({ received }) => received < 16 * mebibyte),
    'the stalled ones still wait',
  );
  for (const pull of stalled) pull.resume();
  for (const pull of stalled.slice(0, 5)) await expectWhole(t, pull, 'one who reads on');
  t.equal(kit.fetches().length, 1, 'all of it was one fetch');
});

t.test('a fill whose only reader stalls ends all the same', async (t) => {
  const kit = await openContentKit(t, { layerSizes: [32 * mebibyte] });
  const pull = kit.open({ stallAfter: 1 });
  await pull.reaches(1);
  await eventually(async () => {
    const { stored } = await checkStore(kit.dataFolder);
    return stored.includes(kit.layer.descriptor.digest);
  });
  t.ok(pull.received < 16 * mebibyte, 'it is stored before it is read');
  await kit.registry.close();
  pull.resume();
  await expectWhole(t, pull, 'who reads on without upstream');
});
