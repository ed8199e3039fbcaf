import { buffer } from 'node:stream/consumers';
import t from 'tap';
import { makeContent } from '../../contract/blob-store.ts';
import { makeFaultyFiles } from '../../support/faulty-files.ts';
import {
  makeManualStream,
  makeSource,
  manual,
  mebibyte,
  openFillKit,
  outcomeOf,
  reads,
  stored,
  valueOf,
  whole,
} from '../../support/fill-kit.ts';

const part = /\.part$/;

for (const code of ['ENOSPC', 'EIO', 'EROFS', 'EDQUOT']) {
  t.test(`${code} in the middle: everybody gets all of it, and nothing is stored`, async (t) => {
    const files = makeFaultyFiles();
    const kit = await openFillKit(t, { content: makeContent(4 * mebibyte), files });
    const upstream = makeManualStream();
    const source = makeSource([manual(kit.content, upstream)]);
    const readings = [await kit.open(source), await kit.open(source), await kit.open(source)];
    const bodies = readings.map(({ stream }) => buffer(stream));
    await upstream.send(kit.content.bytes.subarray(0, mebibyte));
    files.fail('writev', part, code);
    for (let at = mebibyte; at < 4 * mebibyte; at += 100_000) {
      await upstream.send(kit.content.bytes.subarray(at, at + 100_000));
    }
    upstream.end();
    for (const body of bodies) t.ok((await body).equals(kit.content.bytes));
    t.equal(source.asked.length, 1, 'the same fetch goes on');
    await kit.fills.close();
    t.equal(await kit.store.stat(kit.content.name.digest), undefined);
    t.strictSame((await kit.store.usage()).partial, { files: 0, bytes: 0 }, 'no part is left');
    t.match(kit.store.health(), { state: 'read-only', because: new RegExp(code) });
    t.equal(await valueOf(kit.metrics, 'assay_fills_total{outcome="disk"}'), 1);
  });
}

t.test('wrong bytes past a full disk are withheld all the same', async (t) => {
  const files = makeFaultyFiles();
  files.fail('writev', part, 'ENOSPC');
  const kit = await openFillKit(t, { files });
  const wrong = Buffer.from(kit.content.bytes);
  wrong[699_999]! ^= 1;
  const outcome = await outcomeOf(kit.open(makeSource([whole({ ...kit.content, bytes: wrong })])));
  t.match(outcome, /has other bytes$/);
});

t.test('while nothing can be stored, what is stored is read and the rest refused', async (t) => {
  const files = makeFaultyFiles();
  const kit = await openFillKit(t, { files });
  await buffer((await kit.open(makeSource([whole(kit.content)]))).stream);
  await stored(kit);
  files.fail('writev', part, 'ENOSPC');
  const other = makeContent(200_000, 7);
  const { signal } = new AbortController();
  const first = await kit.fills.open(other.name, undefined, makeSource([whole(other)]), signal);
  t.ok(typeof first === 'object' && (await buffer(first.stream)).equals(other.bytes));
  const another = makeContent(200_000, 8);
  const refused = kit.fills.open(another.name, undefined, makeSource([whole(another)]), signal);
  t.equal(await refused, 'busy', 'for a while it is not tried again');
  const blob = await kit.store.open(kit.content.name);
  t.ok((await buffer(blob!.read(0, blob!.size))).equals(kit.content.bytes));
});

t.test('past the disk, one who takes nothing is cut off, and the others go on', async (t) => {
  const files = makeFaultyFiles();
  files.fail('writev', part, 'EIO');
  const content = makeContent(8 * mebibyte);
  const kit = await openFillKit(t, { content, files, limits: { relayPatienceMs: 1 } });
  const source = makeSource([whole(content)]);
  const stalled = await kit.open(source);
  const failed = new Promise((resolve) => stalled.stream.once('error', resolve));
  const { stream } = await kit.open(source);
  t.ok((await buffer(stream)).equals(content.bytes));
  t.match(await failed, { message: 'it took nothing while nothing could be stored' });
});

t.test('past the disk, upstream waits for the readers', async (t) => {
  const files = makeFaultyFiles();
  files.fail('writev', part, 'EIO');
  const content = makeContent(16 * mebibyte);
  const kit = await openFillKit(t, { content, files });
  const upstream = makeManualStream();
  const { stream } = await kit.open(makeSource([manual(content, upstream)]));
  let sent = 0;
  const sending = (async () => {
    for (; sent < content.bytes.length; sent += 100_000) {
      await upstream.send(content.bytes.subarray(sent, sent + 100_000));
    }
    upstream.end();
  })();
  for (let turns = 0; turns < 200; turns += 1) await new Promise(setImmediate);
  t.ok(sent <= 2 * mebibyte, `${sent} bytes are held for a reader that has not begun`);
  t.ok((await buffer(stream)).equals(content.bytes));
  await sending;
});

t.test('past the disk, who comes too late for the beginning has none of it', async (t) => {
  const files = makeFaultyFiles();
  files.fail('writev', part, 'EIO');
  const content = makeContent(8 * mebibyte);
  const kit = await openFillKit(t, { content, files });
  const upstream = makeManualStream();
  const source = makeSource([manual(content, upstream)]);
  const { stream } = await kit.open(source);
  const reading = reads(stream, 4 * mebibyte);
  for (let at = 0; at < 5 * mebibyte; at += 100_000) {
    await upstream.send(content.bytes.subarray(at, at + 100_000));
  }
  await reading;
  await upstream.send(content.bytes.subarray(5 * mebibyte + 42_880, 5 * mebibyte + 42_881));
  const { signal } = new AbortController();
  t.equal(await kit.fills.open(content.name, undefined, source, signal), 'busy');
  stream.destroy();
  await upstream.closed;
  t.pass('with nobody left it is given up');
});

t.test('a commit that fails costs nobody a byte', async (t) => {
  for (const [call, path] of [
    ['datasync', part],
    ['rename', /blobs/],
    ['open', /blobs\/sha256$/],
  ] as const) {
    const files = makeFaultyFiles();
    const kit = await openFillKit(t, { files });
    files.fail(call, path, 'EIO');
    const { stream } = await kit.open(makeSource([whole(kit.content)]));
    t.ok((await buffer(stream)).equals(kit.content.bytes), call);
    await kit.fills.close();
    t.match(kit.store.health(), { state: 'read-only' });
    t.equal(await valueOf(kit.metrics, 'assay_fills_total{outcome="disk"}'), 1);
  }
});
