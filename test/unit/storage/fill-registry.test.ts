import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import t from 'tap';
import { makeContent } from '../../contract/blob-store.ts';
import {
  makeManualStream,
  makeSource,
  manual,
  mebibyte,
  openFillKit,
  reads,
  outcomeOf,
  stored,
  valueOf,
  whole,
  withheldBytes,
} from '../../support/fill-kit.ts';

const none = new AbortController().signal;

t.test('a hundred readers cost upstream one fetch, and all get all of it', async (t) => {
  const kit = await openFillKit(t);
  const source = makeSource([whole(kit.content)]);
  const readings = await Promise.all(Array.from({ length: 100 }, () => kit.open(source)));
  const bodies = await Promise.all(readings.map(({ stream }) => buffer(stream)));
  t.ok(bodies.every((body) => body.equals(kit.content.bytes)));
  t.equal(source.asked.length, 1);
  await stored(kit);
  t.equal(await valueOf(kit.metrics, 'assay_coalesced_total{operation="fill"}'), 99);
  const saved = await valueOf(kit.metrics, 'assay_bytes_saved_total{tier="fill"}');
  t.equal(saved, 99 * kit.content.bytes.length);
});

t.test('what was filled is stored, and nothing else is left', async (t) => {
  const kit = await openFillKit(t);
  await buffer((await kit.open(makeSource([whole(kit.content)]))).stream);
  await stored(kit);
  await kit.fills.close();
  t.strictSame(readdirSync(join(kit.path, 'staging')), []);
  t.equal(await kit.fills.open(kit.content.name, undefined, makeSource([]), none), 'busy');
});

t.test('readers get bytes while they come, but the last 64 KiB', async (t) => {
  const kit = await openFillKit(t);
  const upstream = makeManualStream();
  const { stream } = await kit.open(makeSource([manual(kit.content, upstream)]));
  const { bytes } = kit.content;
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const has = (count: number) => Buffer.concat(chunks).length >= count;
  await upstream.send(bytes.subarray(0, 300_000));
  while (!has(300_000)) await new Promise(setImmediate);
  t.ok(Buffer.concat(chunks).equals(bytes.subarray(0, 300_000)), 'as much as has come');
  await upstream.send(bytes.subarray(300_000));
  while (!has(bytes.length - withheldBytes)) await new Promise(setImmediate);
  t.equal(Buffer.concat(chunks).length, bytes.length - withheldBytes, 'and no more than that');
  upstream.end();
  while (!has(bytes.length)) await new Promise(setImmediate);
  t.ok(Buffer.concat(chunks).equals(bytes));
});

t.test('the first reader leaves, and the others notice nothing', async (t) => {
  const kit = await openFillKit(t);
  const upstream = makeManualStream();
  const source = makeSource([manual(kit.content, upstream)]);
  const first = await kit.open(source);
  const others = await Promise.all([kit.open(source), kit.open(source)]);
  await upstream.send(kit.content.bytes.subarray(0, 10));
  first.stream.destroy();
  await upstream.send(kit.content.bytes.subarray(10));
  upstream.end();
  for (const { stream } of others) t.ok((await buffer(stream)).equals(kit.content.bytes));
  t.equal(source.asked.length, 1);
});

t.test('a reader that takes nothing holds up neither the fill nor the others', async (t) => {
  const kit = await openFillKit(t, { content: makeContent(3 * mebibyte) });
  const source = makeSource([whole(kit.content)]);
  const stalled = await kit.open(source);
  const reading = await kit.open(source);
  t.ok((await buffer(reading.stream)).equals(kit.content.bytes));
  await stored(kit);
  t.ok(stalled.stream.readableLength <= 128 * 1024, 'it holds one piece');
  t.ok((await buffer(stalled.stream)).equals(kit.content.bytes), 'and may go on later');
});

t.test('little that nobody wants any more is not fetched', async (t) => {
  const kit = await openFillKit(t, { content: makeContent(4 * mebibyte) });
  const upstream = makeManualStream();
  const source = makeSource([manual(kit.content, upstream), whole(kit.content)]);
  const { stream } = await kit.open(source);
  await upstream.send(kit.content.bytes.subarray(0, 200_000));
  stream.destroy();
  await upstream.closed;
  t.pass('the connection is given up');
  t.ok((await buffer((await kit.open(source)).stream)).equals(kit.content.bytes));
  t.strictSame(
    source.asked.map(({ start }) => start),
    [0, 200_000],
    'and whoever comes then gets the rest by Range',
  );
});

t.test('much is fetched to its end, though nobody is left', async (t) => {
  const kit = await openFillKit(t, { content: makeContent(4 * mebibyte) });
  const upstream = makeManualStream();
  const { stream } = await kit.open(makeSource([manual(kit.content, upstream)]));
  await upstream.send(kit.content.bytes.subarray(0, mebibyte));
  await reads(stream, mebibyte);
  stream.destroy();
  await upstream.send(kit.content.bytes.subarray(mebibyte));
  upstream.end();
  await stored(kit);
  t.ok((await kit.store.stat(kit.content.name.digest))?.size, 'all of it is stored');
});

t.test('but only for so long', async (t) => {
  const content = makeContent(4 * mebibyte);
  const kit = await openFillKit(t, { content, limits: { unattendedMs: 0 } });
  const upstream = makeManualStream();
  const { stream } = await kit.open(makeSource([manual(content, upstream)]));
  await upstream.send(content.bytes.subarray(0, mebibyte));
  await reads(stream, mebibyte);
  stream.destroy();
  // The timer alone keeps no process alive.
  while (!upstream.stream.destroyed) await new Promise(setImmediate);
  t.pass('the connection is given up');
});

for (const [where, at] of [
  ['first', 0],
  ['middle', 350_000],
  ['last', 699_999],
] as const) {
  t.test(`with its ${where} byte flipped nobody gets all of it`, async (t) => {
    const kit = await openFillKit(t);
    const wrong = Buffer.from(kit.content.bytes);
    wrong[at]! ^= 1;
    const source = makeSource([whole({ ...kit.content, bytes: wrong })]);
    const outcomes = await Promise.all([1, 2, 3].map(() => outcomeOf(kit.open(source))));
    t.match(outcomes, [/has other bytes$/, /has other bytes$/, /has other bytes$/]);
    t.equal(source.mismatches, source.asked.length, 'each fetch of it is counted once');
    t.equal(await kit.store.stat(kit.content.name.digest), undefined);
    const honest = makeSource([whole(kit.content)]);
    t.ok((await buffer((await kit.open(honest)).stream)).equals(kit.content.bytes));
    t.strictSame(honest.asked[0]?.start, 0, 'nothing of the wrong one is gone on with');
  });
}

t.test('more or fewer bytes than the content has are wrong', async (t) => {
  const kit = await openFillKit(t);
  const { bytes } = kit.content;
  const answer = (sent: Buffer) => async () => ({
    size: undefined,
    start: 0,
    validator: undefined,
    stream: (await whole({ ...kit.content, bytes: sent })({ start: 0, validator: '' }, none))!
      .stream,
  });
  const longer = makeSource([answer(Buffer.concat([bytes, Buffer.of(0)]))]);
  t.match(await outcomeOf(kit.open(longer)), /goes on after 700000 bytes$/);
  const shorter = makeSource([answer(bytes.subarray(1))]);
  t.match(await outcomeOf(kit.open(shorter)), /ended after 699999 of 700000 bytes$/);
  t.equal(longer.mismatches + shorter.mismatches, 2);
});

t.test('a size that upstream states otherwise is wrong before the first byte', async (t) => {
  const kit = await openFillKit(t);
  const upstream = makeManualStream();
  const source = makeSource([
    async () => ({ size: 5, start: 0, validator: undefined, stream: upstream.stream }),
  ]);
  await t.rejects(kit.open(source), { code: 'CONTENT_MISMATCH', message: /^upstream has 5 bytes/ });
  await upstream.closed;
  t.equal(source.mismatches, 1);
});

t.test('after a break the rest is asked for, with the validator', async (t) => {
  const kit = await openFillKit(t);
  const upstream = makeManualStream();
  const source = makeSource([manual(kit.content, upstream), whole(kit.content)]);
  const reading = kit.open(source);
  await upstream.send(kit.content.bytes.subarray(0, 250_000));
  upstream.cut();
  t.ok((await buffer((await reading).stream)).equals(kit.content.bytes));
  t.strictSame(source.asked, [
    { start: 0, validator: undefined },
    { start: 250_000, validator: '"v1"' },
  ]);
});

t.test('who answers with all of it, or with more than the rest, is read from there', async (t) => {
  for (const start of [0, 100_000]) {
    const kit = await openFillKit(t, { content: makeContent(700_000, start) });
    const [broken, again] = [makeManualStream(), makeManualStream()];
    const source = makeSource([manual(kit.content, broken), manual(kit.content, again, start)]);
    const reading = kit.open(source);
    await broken.send(kit.content.bytes.subarray(0, 250_000));
    broken.cut();
    const body = outcomeOf(reading);
    await again.send(kit.content.bytes.subarray(start, 260_000));
    await again.send(kit.content.bytes.subarray(260_000));
    again.end();
    t.ok(kit.content.bytes.equals((await body) as Buffer), `from ${start}`);
  }
});

t.test('another first half than the second one belongs to is wrong as a whole', async (t) => {
  const kit = await openFillKit(t);
  const broken = makeManualStream();
  const source = makeSource([manual(kit.content, broken), whole(kit.content)]);
  const body = outcomeOf(kit.open(source));
  await broken.send(Buffer.alloc(250_000));
  broken.cut();
  t.match(await body, /has other bytes$/);
});

t.test('what breaks again and again fails with what broke it first of all', async (t) => {
  const kit = await openFillKit(t);
  const broken = makeManualStream();
  const fails = () => Promise.reject(new Error('down'));
  const source = makeSource([manual(kit.content, broken), fails]);
  const body = outcomeOf(kit.open(source));
  await broken.send(kit.content.bytes.subarray(0, 250_000));
  broken.cut(new Error('reset'));
  t.equal(await body, 'reset');
  const later = makeSource([whole(kit.content)]);
  t.ok((await buffer((await kit.open(later)).stream)).equals(kit.content.bytes));
  t.equal(later.asked[0]?.start, 250_000, 'what had come is gone on with');
});

t.test('a break after the last byte is none', async (t) => {
  const kit = await openFillKit(t);
  const upstream = makeManualStream();
  const source = makeSource([manual(kit.content, upstream)]);
  const body = outcomeOf(kit.open(source));
  await upstream.send(kit.content.bytes);
  upstream.cut();
  t.ok(kit.content.bytes.equals((await body) as Buffer));
  t.equal(source.asked.length, 1);
});

t.test('everybody hears what failed; who only joined tries once more, together', async (t) => {
  const kit = await openFillKit(t);
  const started = Promise.withResolvers<void>();
  const failing = Promise.withResolvers<never>();
  const source = makeSource([
    () => {
      started.resolve();
      return failing.promise;
    },
    () => Promise.reject(new Error('down too')),
  ]);
  const outcomes = [1, 2, 3, 4, 5].map(() => outcomeOf(kit.open(source)));
  await started.promise;
  failing.reject(new Error('down'));
  t.strictSame(await Promise.all(outcomes), [
    'down',
    'down too',
    'down too',
    'down too',
    'down too',
  ]);
  t.equal(source.asked.length, 2);
});

t.test('who only joined and has nothing yet gets it from another fill', async (t) => {
  const kit = await openFillKit(t);
  const upstream = makeManualStream();
  const source = makeSource([manual(kit.content, upstream), whole(kit.content)]);
  const first = outcomeOf(kit.open(source));
  const joined = outcomeOf(kit.open(source));
  await upstream.send(Buffer.concat([kit.content.bytes, Buffer.of(1)]));
  t.match(await first, /goes on after/);
  t.ok(kit.content.bytes.equals((await joined) as Buffer));
  t.equal(source.asked.length, 2);
});

t.test('what upstream does not have is not there, and may be there the next moment', async (t) => {
  const kit = await openFillKit(t);
  const source = makeSource([async () => undefined, whole(kit.content)]);
  t.equal(await kit.fills.open(kit.content.name, undefined, source, none), undefined);
  t.ok((await buffer((await kit.open(source)).stream)).equals(kit.content.bytes));
});

t.test('what one upstream is stuck with comes from another', async (t) => {
  const kit = await openFillKit(t);
  const stuck = makeManualStream();
  const waiting = await kit.open(makeSource([manual(kit.content, stuck)], 'one'));
  const { stream } = await kit.open(makeSource([whole(kit.content)], 'two'));
  t.ok((await buffer(stream)).equals(kit.content.bytes));
  await stored(kit);
  waiting.stream.destroy();
});

t.test('who does not wait any longer is let go, and the fill with it', async (t) => {
  const kit = await openFillKit(t, { content: makeContent(2 * mebibyte) });
  const asked = Promise.withResolvers<AbortSignal>();
  const source = makeSource([
    (_from, signal) => {
      asked.resolve(signal);
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    },
  ]);
  const leaving = new AbortController();
  const opening = kit.fills.open(kit.content.name, undefined, source, leaving.signal);
  const signal = await asked.promise;
  leaving.abort(new Error('gone'));
  await t.rejects(opening, { message: 'gone' });
  t.ok(signal.aborted, 'the question upstream is taken back');
});

t.test('a range to the end comes along with the fill', async (t) => {
  for (const range of [{ first: 300_000 }, { first: 699_999, last: 699_999 }]) {
    const kit = await openFillKit(t);
    const opened = await kit.open(makeSource([whole(kit.content)]), range);
    t.strictSame(opened.range, range);
    t.ok((await buffer(opened.stream)).equals(kit.content.bytes.subarray(range.first)));
  }
});

t.test('any other range is all of it, until the hash is known', async (t) => {
  const kit = await openFillKit(t);
  const range = { first: 5, last: 9 };
  const upstream = makeManualStream();
  const source = makeSource([manual(kit.content, upstream)]);
  const early = await kit.open(source, range);
  t.equal(early.range, undefined);
  await upstream.send(kit.content.bytes);
  upstream.end();
  t.ok((await buffer(early.stream)).equals(kit.content.bytes));
});

t.test('too many fills at a time are refused', async (t) => {
  const kit = await openFillKit(t, { limits: { maxFills: 1 } });
  const waiting = await kit.open(makeSource([manual(kit.content, makeManualStream())]));
  const other = makeContent(100, 9);
  const source = makeSource([whole(other)]);
  t.equal(await kit.fills.open(other.name, undefined, source, none), 'busy');
  waiting.stream.destroy();
});

t.test('a source whose fills are slow leaves some to others', async (t) => {
  const kit = await openFillKit(t, { limits: { maxFills: 2, maxFillsPerSource: 1 } });
  const slow = makeSource([manual(kit.content, makeManualStream())], 'slow');
  const waiting = await kit.open(slow);
  const other = makeContent(100_000, 9);
  const open = (name: string) =>
    kit.fills.open(other.name, undefined, makeSource([whole(other)], name), none);
  t.equal(await open('slow'), 'busy');
  const reading = await open('slow-but-another');
  if (typeof reading !== 'object') throw new Error(`no stream but ${reading}`);
  t.ok((await buffer(reading.stream)).equals(other.bytes));
  waiting.stream.destroy();
});

t.test('the end of the process leaves what has come to be gone on with', async (t) => {
  const kit = await openFillKit(t, { content: makeContent(4 * mebibyte) });
  const upstream = makeManualStream();
  const { stream } = await kit.open(makeSource([manual(kit.content, upstream)]));
  await upstream.send(kit.content.bytes.subarray(0, 3 * mebibyte));
  const failed = once(stream, 'error');
  await reads(stream, 3 * mebibyte);
  await kit.fills.close();
  t.match(String((await failed)[0]), /the proxy shuts down$/);
  const next = await kit.other();
  const source = makeSource([whole(kit.content)]);
  t.ok((await buffer((await next.open(source)).stream)).equals(kit.content.bytes));
  t.strictSame(source.asked, [{ start: 3 * mebibyte, validator: '"v1"' }]);
  t.equal(await valueOf(next.metrics, 'assay_fill_resumed_bytes_total'), 3 * mebibyte);
});

t.test('what was left complete needs no upstream', async (t) => {
  const kit = await openFillKit(t);
  const staging = await kit.store.begin(kit.content.name);
  if (typeof staging === 'string') throw new Error(staging);
  await staging.append([kit.content.bytes]);
  await staging.keep();
  await staging.release();
  const source = makeSource([]);
  t.ok((await buffer((await kit.open(source)).stream)).equals(kit.content.bytes));
  t.equal(source.asked.length, 0);
});

t.test('who follows a fill gets all of it, begins none, and is not counted', async (t) => {
  const kit = await openFillKit(t);
  const { name, bytes } = kit.content;
  t.equal(await kit.fills.follow(name, { name: 'up' }, none), undefined, 'there is none');
  const stream = makeManualStream();
  const source = makeSource([manual(kit.content, stream)]);
  const reading = kit.open(source);
  await stream.send(bytes.subarray(0, 400_000));
  const first = await reading;
  const followed = await kit.fills.follow(name, source, none);
  t.equal(await kit.fills.follow(name, { name: 'another' }, none), undefined);
  first.stream.destroy();
  const all = buffer(followed!);
  await stream.send(bytes.subarray(400_000));
  stream.end();
  t.ok((await all).equals(bytes), 'also when its first client has gone');
  t.equal(await valueOf(kit.metrics, 'assay_coalesced_total{operation="fill"}'), 0);
  t.equal(await valueOf(kit.metrics, 'assay_bytes_saved_total{tier="fill"}'), 0);
});

t.test('who follows wrong bytes never gets the last of them', async (t) => {
  const kit = await openFillKit(t);
  const { name, bytes } = kit.content;
  const stream = makeManualStream();
  const source = makeSource([manual(kit.content, stream)]);
  const reading = kit.open(source);
  await stream.send(bytes.subarray(0, 1));
  const client = outcomeOf(reading);
  const followed = await kit.fills.follow(name, source, none);
  const all = buffer(followed!).catch((error: Error) => error.message);
  await stream.send(Buffer.alloc(name.size - 1));
  stream.end();
  t.match(await all, /has other bytes/);
  t.match(await client, /has other bytes/);
});
