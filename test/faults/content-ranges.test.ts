import t, { type Test } from 'tap';
import { makeBarrier } from '../support/barrier.ts';
import type { BlobOutcome } from '../support/blob-client.ts';
import type { BuiltBlob } from '../support/build-image.ts';
import {
  type ContentKit,
  expectWhole,
  mebibyte,
  openContentKit,
  withheldBytes,
} from '../support/content-kit.ts';
import {
  invalidRanges,
  severalRanges,
  unsatisfiableRanges,
  validRanges,
} from '../support/range-forms.ts';
import { answerByReference, type RangeAnswer } from '../support/range-reference.ts';

/** Parts of a layer: exact where it is stored, and never unverified while it comes. */

type Headers = { readonly range?: string; readonly 'if-range'?: string };

async function ask(kit: ContentKit, blob: BuiltBlob, headers: Headers, expected: RangeAnswer) {
  const body = expected.status === 416 ? {} : { expected: expected.body };
  return kit.open({ blob, headers: { ...headers }, ...body }).ended;
}

function isAsExpected(outcome: BlobOutcome, { status, body, range }: RangeAnswer): boolean {
  const { headers } = outcome;
  if (outcome.status !== status || headers.get('content-range') !== range) return false;
  if (!outcome.isComplete || status === 416) return outcome.isComplete;
  return outcome.isRightSoFar && outcome.bytes === body.length;
}

async function expectReference(
  t: Test,
  kit: ContentKit,
  blob: BuiltBlob,
  headers: Headers,
): Promise<void> {
  const { bytes, descriptor } = blob;
  const expected = answerByReference(bytes, `"${descriptor.digest}"`, headers);
  const outcome = await ask(kit, blob, headers, expected);
  const name = Object.values(headers).join(' if ');
  const isWell = isAsExpected(outcome, expected);
  const said = [...outcome.headers].filter(([key]) => key.startsWith('content-')).join('; ');
  t.ok(isWell, `${name}: ${expected.status}${isWell ? '' : ` but ${outcome.status} ${said}`}`);
}

t.test('every form of Range on what is stored is answered as by the RFC', async (t) => {
  const kit = await openContentKit(t, { layerSizes: [3 * mebibyte + 7, 70_000, 1, 0] });
  for (const blob of kit.image.blobs.slice(1)) {
    const { size } = blob.descriptor;
    await t.test(`${size} bytes`, async (t) => {
      await expectWhole(t, kit.open({ blob }), 'a client');
      const forms = [
        ...(size > 0 ? validRanges(size) : ['bytes=0-', 'bytes=-5']),
        ...unsatisfiableRanges(size),
        ...invalidRanges,
        ...severalRanges(size),
      ];
      for (const range of forms) await expectReference(t, kit, blob, { range });
    });
  }
  t.equal(kit.fetches().length, 1, 'upstream was asked for all of it once, and for no part');
});

t.test('If-Range decides whether the part or the whole is sent', async (t) => {
  const kit = await openContentKit(t);
  await expectWhole(t, kit.open(), 'a client');
  const etag = `"${kit.layer.descriptor.digest}"`;
  const validators = [
    etag,
    '"another"',
    `W/${etag}`,
    kit.layer.descriptor.digest,
    '*',
    'Tue, 15 Nov 1994 12:45:26 GMT',
  ];
  for (const validator of validators) {
    for (const range of ['bytes=5-99', 'bytes=-5', `bytes=${mebibyte}-`]) {
      await expectReference(t, kit, kit.layer, { range, 'if-range': validator });
    }
  }
});

t.test('what is stored says that it has ranges, and HEAD ignores them', async (t) => {
  const kit = await openContentKit(t);
  await expectWhole(t, kit.open(), 'a client');
  const head = await kit.open({ method: 'HEAD', headers: { range: 'bytes=0-9' } }).ended;
  t.equal(head.status, 200);
  t.equal(head.headers.get('content-length'), String(kit.layer.descriptor.size));
  t.equal(head.headers.get('accept-ranges'), 'bytes');
  const get = await kit.open().ended;
  t.equal(get.headers.get('accept-ranges'), 'bytes');
  t.equal(get.headers.get('etag'), `"${kit.layer.descriptor.digest}"`);
});

t.test('a Range to the end is streamed along with the fill, its tail withheld', async (t) => {
  const kit = await openContentKit(t);
  const { bytes, descriptor } = kit.layer;
  const until = makeBarrier();
  const half = descriptor.size / 2;
  kit.setLayerFault((answer) => ({ ...answer, pauseAt: { bytes: half, until } }));
  const whole = kit.open();
  await whole.reaches(half / 2);
  const start = 1_000_003;
  const expected = bytes.subarray(start);
  const rest = kit.open({ headers: { range: `bytes=${start}-` }, expected });
  const status = await rest.answered;
  if (status === 206) await rest.reaches(half - start - withheldBytes - 64 * 1024);
  t.match(String(status), /^20[06]$/, 'it is answered before upstream has sent the second half');
  until.release();
  await expectWhole(t, whole, 'who asked for all');
  const outcome = await rest.ended;
  t.ok(outcome.isComplete);
  if (status === 206) {
    const range = `bytes ${start}-${descriptor.size - 1}/${descriptor.size}`;
    t.ok(outcome.isRightSoFar, 'the rest is right');
    t.equal(outcome.headers.get('content-range'), range);
  } else {
    t.equal(outcome.bytes, descriptor.size, 'all of it instead of the rest');
  }
  t.equal(kit.fetches().length, 1);
});

for (const range of ['bytes=0-99', 'bytes=5-5', 'bytes=1000-2000000', 'bytes=-100']) {
  t.test(`while the layer comes, ${range} carries nothing unverified`, async (t) => {
    const kit = await openContentKit(t);
    const { bytes, descriptor } = kit.layer;
    const until = makeBarrier();
    kit.setLayerFault((answer) => ({
      ...answer,
      pauseAt: { bytes: descriptor.size / 2, until },
    }));
    const whole = kit.open();
    await whole.reaches(mebibyte);
    const reference = answerByReference(bytes, '', { range });
    const one = kit.open({ headers: { range }, expected: reference.body });
    let ended = false;
    void one.ended.then(() => (ended = true));
    await kit.open({ blob: kit.image.blobs[0]! }).ended;
    t.notOk(ended, 'no part is complete while upstream still sends');
    until.release();
    await expectWhole(t, whole, 'who asked for all');
    const { status, isComplete, isRightSoFar, bytes: got, headers } = await one.ended;
    t.ok(isComplete);
    if (status === 206) {
      t.ok(isRightSoFar && got === reference.body.length, 'the part is right');
      t.equal(headers.get('content-range'), reference.range);
    } else {
      t.equal(status, 200);
      t.equal(got, descriptor.size, 'all of it instead of a part');
    }
    t.equal(kit.fetches().length, 1);
  });
}

t.test('a Range is enough to begin a fill, which fetches all once', async (t) => {
  for (const range of ['bytes=0-99', `bytes=${mebibyte}-`, 'bytes=-10']) {
    await t.test(range, async (t) => {
      const kit = await openContentKit(t);
      const reference = answerByReference(kit.layer.bytes, '', { range });
      const { status, isComplete, bytes } = await kit.open({
        headers: { range },
        expected: reference.body,
      }).ended;
      t.ok(isComplete);
      t.equal(bytes, status === 206 ? reference.body.length : kit.layer.descriptor.size);
      await expectWhole(t, kit.open(), 'who asks for all');
      t.equal(kit.fetches().length, 1);
      t.equal(kit.fetches()[0]?.headers.range, undefined, 'the whole');
    });
  }
});

t.test('many open-ended ranges that are read a little and left are normal traffic', async (t) => {
  // containerd with `concurrent_layer_fetch_buffer`.
  const kit = await openContentKit(t, { layerSizes: [8 * mebibyte] });
  const until = makeBarrier();
  kit.setLayerFault((answer) => ({ ...answer, pauseAt: { bytes: 6 * mebibyte, until } }));
  const starts = Array.from({ length: 8 }, (_, at) => at * mebibyte);
  const parts = starts.map((start) =>
    kit.open({
      headers: { range: `bytes=${start}-` },
      expected: kit.layer.bytes.subarray(start),
    }),
  );
  until.release();
  for (const [at, each] of parts.entries()) {
    const status = await each.answered;
    if (status === 206 && at % 2 === 0) {
      await each.reaches(withheldBytes);
      each.kill();
    } else {
      t.ok((await each.ended).isComplete, `from ${starts[at]}`);
    }
  }
  await expectWhole(t, kit.open(), 'who asks for all');
  t.equal(kit.fetches().length, 1);
});
