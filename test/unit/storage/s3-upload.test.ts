import { Readable } from 'node:stream';
import t from 'tap';
import { makeContent } from '../../contract/blob-store.ts';
import { refuseS3, startFakeS3 } from '../../support/fake-s3.ts';
import {
  largeContent as large,
  opening,
  openS3Kit,
  readShared,
  smallContent as small,
  smallParts as limits,
} from '../../support/s3-kit.ts';

const fails = { outcome: 'failed' };
const isUpload = (key: string): boolean => key.includes('/tmp/');

t.test('wrong bytes are never to be seen, and leave no upload behind', async (t) => {
  const s3 = await startFakeS3(t);
  const kit = openS3Kit(t, s3.address, { limits });
  for (const content of [small, large]) {
    const flipped = Buffer.from(content.bytes);
    flipped[content.name.size - 1]! ^= 1;
    const longer = Buffer.concat([content.bytes, Buffer.of(0)]);
    for (const bytes of [flipped, longer, content.bytes.subarray(1)]) {
      await kit.shared.share(content.name, opening({ ...content, bytes }));
    }
  }
  t.equal(kit.metrics.counted('assay_s3_uploads_total', { outcome: 'mismatch' }), 6);
  t.equal(s3.objects.size, 0);
  t.equal(s3.uploads.size, 0, 'aborted');
});

t.test('parts go to a key of their own, which is completed when all were hashed', async (t) => {
  const s3 = await startFakeS3(t);
  const kit = openS3Kit(t, s3.address, { limits });
  await kit.shared.share(large.name, opening(large));
  const steps = s3.requests.map((each) => each.replace(/tmp\/[0-9a-f]+/, 'tmp/X'));
  const blob = kit.keys.blob(large.name.digest);
  t.strictSame(steps, [
    `HEAD ${blob}`,
    'POST assay/tmp/X?uploads',
    ...Array.from({ length: 3 }, () => 'PUT assay/tmp/X?uploadId'),
    'POST assay/tmp/X?uploadId',
    'HEAD assay/tmp/X',
    `PUT ${blob}`,
    'DELETE assay/tmp/X',
  ]);
});

t.test('what is too large for one copy is copied in parts', async (t) => {
  const s3 = await startFakeS3(t);
  const kit = openS3Kit(t, s3.address, { limits: { ...limits, copyBytes: 6 * 1024 * 1024 } });
  await kit.shared.share(large.name, opening(large));
  t.ok((await readShared(kit, large))?.equals(large.bytes));
  t.strictSame([...s3.objects.keys()], [kit.keys.blob(large.name.digest)]);
  t.equal(s3.uploads.size, 0);
});

t.test('an object that was not put together whole goes no further', async (t) => {
  const s3 = await startFakeS3(t);
  const kit = openS3Kit(t, s3.address, { limits });
  s3.setFault(({ method, key, query }, _response, serve) => {
    if (method !== 'POST' || !query.has('uploadId')) return undefined;
    s3.uploads.get(query.get('uploadId')!)!.parts.delete(2);
    serve();
    t.ok(isUpload(key));
    return 'handled';
  });
  await kit.shared.share(large.name, opening(large));
  t.equal(kit.metrics.counted('assay_s3_uploads_total', fails), 1);
  t.equal(s3.objects.size, 0, 'and is removed');
});

for (const [what, method, name] of [
  ['beginning', 'POST', 'uploads'],
  ['a part', 'PUT', 'partNumber'],
  ['the end', 'POST', 'uploadId'],
] as const) {
  t.test(`when ${what} of an upload is refused, nothing is left of it`, async (t) => {
    const s3 = await startFakeS3(t);
    const kit = openS3Kit(t, s3.address, { limits });
    s3.setFault(({ method: asked, query }, response) =>
      asked === method && query.has(name) ? refuseS3(response, 403, 'AccessDenied') : undefined,
    );
    await kit.shared.share(large.name, opening(large));
    t.equal(kit.metrics.counted('assay_s3_uploads_total', fails), 1);
    t.equal(s3.uploads.size, 0);
    t.equal(s3.objects.size, 0);
  });
}

t.test('content that breaks off on its way here is not shared', async (t) => {
  const s3 = await startFakeS3(t);
  const kit = openS3Kit(t, s3.address, { limits });
  function* broken(): Generator<Buffer> {
    yield large.bytes.subarray(0, 6_000_000);
    throw new Error('the fill failed');
  }
  await kit.shared.share(large.name, async () => Readable.from(broken()));
  await kit.shared.share(large.name, async () => undefined);
  t.equal(kit.metrics.counted('assay_s3_uploads_total', fails), 1);
  t.equal(kit.metrics.counted('assay_s3_uploads_total', { outcome: 'left-out' }), 1);
  t.equal(s3.objects.size + s3.uploads.size, 0);
});

t.test('a few go at a time, the others when it is their turn', async (t) => {
  const s3 = await startFakeS3(t);
  const kit = openS3Kit(t, s3.address);
  const contents = Array.from({ length: 9 }, (_, seed) => makeContent(1_000, seed + 10));
  const { promise: may, resolve: goOn } = Promise.withResolvers<void>();
  let opened = 0;
  const shared = contents.map((content) =>
    kit.shared.share(content.name, async (signal) => {
      opened += 1;
      if (opened === 4) setImmediate(goOn);
      await may;
      t.ok(opened <= 4 + s3.objects.size);
      return opening(content)(signal);
    }),
  );
  await Promise.all(shared);
  t.equal(s3.objects.size, 9);
});

t.test('the end of the process aborts what is under way', async (t) => {
  const s3 = await startFakeS3(t);
  const kit = openS3Kit(t, s3.address, { limits });
  const begun = Promise.withResolvers<void>();
  const sharing = kit.shared.share(large.name, async (signal) => {
    const stream = new Readable({ read: () => undefined, signal });
    stream.push(large.bytes.subarray(0, 6_000_000));
    s3.setFault(({ method }) => {
      if (method === 'PUT') begun.resolve();
      return undefined;
    });
    return stream;
  });
  await begun.promise;
  await kit.shared.close();
  await sharing;
  t.equal(s3.uploads.size, 0);
  t.equal(s3.objects.size, 0);
});
