import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import t from 'tap';
import { makeContent } from '../../contract/blob-store.ts';
import { startFakeS3 } from '../../support/fake-s3.ts';
import {
  largeContent as large,
  never,
  opening,
  openS3Kit,
  readShared,
  smallContent as small,
  smallParts as limits,
} from '../../support/s3-kit.ts';

/** Errors that nobody hears, which end a process. Noted from here, since tests have them first. */
const unheard: unknown[] = [];
process.on('uncaughtException', (error) => unheard.push(error));

t.test('what one replica shares another reads, small, large or empty', async (t) => {
  const s3 = await startFakeS3(t);
  const [one, other] = [openS3Kit(t, s3.address, { limits }), openS3Kit(t, s3.address)];
  for (const content of [small, large, makeContent(0), makeContent(700, 3, 'sha512')]) {
    t.equal(await readShared(other, content), undefined);
    await one.shared.share(content.name, opening(content));
    t.ok((await readShared(other, content))?.equals(content.bytes), `${content.name.size} bytes`);
  }
  t.equal(one.metrics.counted('assay_s3_uploads_total', { outcome: 'stored' }), 4);
  t.strictSame(
    [...s3.objects.keys()].filter((key) => key.includes('/tmp/')),
    [],
  );
  t.equal(s3.uploads.size, 0);
});

t.test('the rest of content is read from where it is asked for', async (t) => {
  const s3 = await startFakeS3(t);
  const kit = openS3Kit(t, s3.address, { limits });
  await kit.shared.share(large.name, opening(large));
  const rest = await readShared(kit, large, 5_000_000);
  t.ok(rest?.equals(large.bytes.subarray(5_000_000)));
});

t.test(
  'where S3 gives all of it in place of the rest, nothing is read and nothing is bad',
  async (t) => {
    const s3 = await startFakeS3(t);
    const kit = openS3Kit(t, s3.address, { limits });
    await kit.shared.share(large.name, opening(large));
    const key = kit.keys.blob(large.name.digest);
    for (const range of [undefined, `bytes 0-${large.name.size - 1}/${large.name.size}`]) {
      s3.setFault(({ method }, response) => {
        if (method !== 'GET') return undefined;
        const told = range === undefined ? {} : { 'content-range': range };
        const status = range === undefined ? 200 : 206;
        response.writeHead(status, { etag: '"e"', 'content-length': large.name.size, ...told });
        response.end(large.bytes);
        return 'handled';
      });
      t.equal((await readShared(kit, large, 5_000_000))?.length, undefined, range ?? 'no range');
    }
    t.ok(s3.objects.has(key));
    t.equal(kit.metrics.counted('assay_s3_bad_objects_total', { because: 'size' }), 0);
  },
);

t.test('what is there already is not sent again', async (t) => {
  const s3 = await startFakeS3(t);
  const kit = openS3Kit(t, s3.address);
  await kit.shared.share(small.name, opening(small));
  await kit.shared.share(small.name, () => Promise.reject(new Error('opened again')));
  t.equal(kit.metrics.counted('assay_s3_uploads_total', { outcome: 'there' }), 1);
  t.equal(s3.count(/^PUT/), 1);
});

t.test(
  'an object of another size is no content: it is put aside before any of it is given',
  async (t) => {
    const s3 = await startFakeS3(t);
    const kit = openS3Kit(t, s3.address);
    const key = kit.keys.blob(small.name.digest);
    s3.put(key, small.bytes.subarray(0, 4_999));
    t.equal(await readShared(kit, small), undefined);
    t.equal(s3.objects.has(key), false);
    t.ok([...s3.objects.keys()].some((each) => each.startsWith(kit.keys.allQuarantine)));
    t.equal(kit.metrics.counted('assay_s3_bad_objects_total', { because: 'size' }), 1);
    await kit.shared.share(small.name, opening(small));
    t.ok((await readShared(kit, small))?.equals(small.bytes), 'and is shared anew');
  },
);

t.test('small content with a wrong byte is never given', async (t) => {
  const s3 = await startFakeS3(t);
  const kit = openS3Kit(t, s3.address);
  const wrong = Buffer.from(small.bytes);
  wrong[17]! ^= 1;
  s3.put(kit.keys.blob(small.name.digest), wrong);
  t.equal(await readShared(kit, small), undefined);
  t.equal(kit.metrics.counted('assay_s3_bad_objects_total', { because: 'bytes' }), 1);
  t.equal(s3.objects.has(kit.keys.blob(small.name.digest)), false);
});

t.test(
  'what was read and is wrong goes away, and is not read again where it can not',
  async (t) => {
    const s3 = await startFakeS3(t);
    const kit = openS3Kit(t, s3.address);
    const wrong = Buffer.alloc(large.name.size);
    const key = kit.keys.blob(large.name.digest);
    s3.put(key, wrong);
    s3.setFault(({ method, key: asked }, response) => {
      if (method !== 'DELETE' || asked !== key) return undefined;
      response.writeHead(403).end();
      return 'handled';
    });
    t.ok((await readShared(kit, large))?.equals(wrong), 'whoever reads it hashes it');
    await kit.shared.putAside(large.name);
    t.ok(s3.objects.has(key));
    t.equal(await readShared(kit, large), undefined);
    await kit.shared.share(large.name, opening(large));
    t.ok((await readShared(kit, large))?.equals(large.bytes), 'the right one takes its place');
  },
);

t.test('content that was put right meanwhile is not put aside', async (t) => {
  const s3 = await startFakeS3(t);
  const kit = openS3Kit(t, s3.address);
  const key = kit.keys.blob(large.name.digest);
  s3.put(key, Buffer.alloc(large.name.size), new Date(1));
  await readShared(kit, large);
  s3.put(key, large.bytes, new Date(2));
  await kit.shared.putAside(large.name);
  t.ok(s3.objects.has(key));
});

t.test(
  'a URL is given for what this process sent or read, as long as it is the same',
  async (t) => {
    const s3 = await startFakeS3(t);
    const one = openS3Kit(t, s3.address, { handsOut: true, limits });
    const other = openS3Kit(t, s3.address, { handsOut: true });
    await one.shared.share(large.name, opening(large));
    const url = await one.shared.urlFor(large.name, opening(large), never);
    t.match(url, /X-Amz-Expires=60&/);
    t.ok(Buffer.from(await (await fetch(url!)).arrayBuffer()).equals(large.bytes));
    t.equal(
      await other.shared.urlFor(large.name, opening(large), never),
      undefined,
      'not seen yet',
    );
    await other.shared.share(large.name, opening(large));
    t.ok(await other.shared.urlFor(large.name, opening(large), never), 'it went and looked');
    s3.put(one.keys.blob(large.name.digest), Buffer.alloc(large.name.size));
    t.equal(await one.shared.urlFor(large.name, opening(large), never), undefined, 'it is another');
  },
);

t.test('no URL is given for wrong bytes, whoever put them there', async (t) => {
  const s3 = await startFakeS3(t);
  const kit = openS3Kit(t, s3.address, { handsOut: true });
  s3.put(kit.keys.blob(large.name.digest), Buffer.alloc(large.name.size));
  t.equal(await kit.shared.urlFor(large.name, opening(large), never), undefined);
  await kit.shared.share(large.name, opening(large));
  t.equal(kit.metrics.counted('assay_s3_bad_objects_total', { because: 'bytes' }), 1);
  const url = await kit.shared.urlFor(large.name, opening(large), never);
  const given = Buffer.from(await (await fetch(url!)).arrayBuffer());
  t.ok(given.equals(large.bytes), 'the right ones took their place');
});

t.test(
  'what took the place of right bytes is looked at anew, and goes if it is wrong',
  async (t) => {
    const s3 = await startFakeS3(t);
    const kit = openS3Kit(t, s3.address, { handsOut: true, limits });
    await kit.shared.share(large.name, opening(large));
    const key = kit.keys.blob(large.name.digest);
    s3.put(key, Buffer.alloc(large.name.size));
    await kit.shared.share(large.name, opening(large));
    t.ok(s3.objects.get(key)?.bytes.equals(large.bytes));
    t.equal(kit.metrics.counted('assay_s3_bad_objects_total', { because: 'bytes' }), 1);
  },
);

t.test('the end of the process ends a look at what is there, and nothing else', async (t) => {
  const s3 = await startFakeS3(t);
  const kit = openS3Kit(t, s3.address, { handsOut: true });
  s3.put(kit.keys.blob(large.name.digest), large.bytes);
  const cut = Promise.withResolvers<void>();
  s3.setFault(({ method }, response) => {
    if (method !== 'GET') return undefined;
    response.once('close', () => cut.resolve());
    response.writeHead(200, { etag: '"e"', 'content-length': large.name.size });
    response.write(large.bytes.subarray(0, 100_000));
    return 'handled';
  });
  const sharing = kit.shared.share(large.name, opening(large));
  const saved = (): number => kit.metrics.counted('assay_bytes_saved_total', { tier: 'shared' });
  while (saved() === 0) await new Promise(setImmediate);
  await kit.shared.close();
  await Promise.all([sharing, cut.promise]);
  // So that the connection's end has come here too.
  await fetch(s3.address.endpoint, { method: 'HEAD' });
  t.strictSame(unheard, []);
  t.equal(kit.metrics.counted('assay_s3_uploads_total', { outcome: 'failed' }), 1);
});

t.test('content that breaks off before it is read fails its upload alone', async (t) => {
  const s3 = await startFakeS3(t);
  const kit = openS3Kit(t, s3.address, { limits });
  const stream = Readable.from([large.bytes], { objectMode: false });
  s3.setFault(({ method, query }, _response, serve) => {
    if (method !== 'POST' || !query.has('uploads')) return undefined;
    // Whoever gives it has cut off a reader that takes nothing.
    stream.once('close', () => setImmediate(serve)).destroy(new Error('it took nothing'));
    return 'handled';
  });
  await kit.shared.share(large.name, async () => stream);
  t.strictSame(unheard, []);
  t.equal(kit.metrics.counted('assay_s3_uploads_total', { outcome: 'failed' }), 1);
  t.equal(s3.objects.size, 0);
});

t.test('without a wish for them no URL is given', async (t) => {
  const s3 = await startFakeS3(t);
  const kit = openS3Kit(t, s3.address);
  await kit.shared.share(small.name, opening(small));
  t.equal(await kit.shared.urlFor(small.name, opening(small), never), undefined);
});

t.test('a reader that leaves ends the transfer', async (t) => {
  const s3 = await startFakeS3(t);
  const kit = openS3Kit(t, s3.address, { limits });
  await kit.shared.share(large.name, opening(large));
  const left = Promise.withResolvers<void>();
  s3.setFault(({ method }, response, serve) => {
    if (method !== 'GET') return undefined;
    response.once('close', () => left.resolve());
    serve();
    return 'handled';
  });
  const found = await kit.shared.open(large.name, 0, never);
  for await (const _ of found!.stream) break;
  await left.promise;
  const stopped = AbortSignal.abort(new Error('gone'));
  await t.rejects(kit.shared.open(large.name, 0, stopped), { message: 'gone' });
  t.ok((await buffer((await kit.shared.open(large.name, 0, never))!.stream)).equals(large.bytes));
});
