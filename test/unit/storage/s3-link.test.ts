import type { ServerResponse } from 'node:http';
import t from 'tap';
import { systemClock } from '../../../src/kernel/clock.ts';
import { refuseS3, startFakeS3 } from '../../support/fake-s3.ts';
import { untilTrue } from '../../support/redis-server.ts';
import {
  largeContent as large,
  never,
  opening,
  openS3Kit,
  readShared,
  smallContent as small,
  smallParts as limits,
} from '../../support/s3-kit.ts';

/** Long enough that it ends no request of a busy machine. */
const patient = { callMs: 20_000, probeEveryMs: 20 };
const silent = (): 'handled' => 'handled';
const errors = 'assay_s3_errors_total';

t.test('a service that fails once is asked again, once', async (t) => {
  const s3 = await startFakeS3(t);
  const kit = openS3Kit(t, s3.address);
  await kit.shared.share(small.name, opening(small));
  let failures = 1;
  s3.setFault((_request, response) =>
    failures-- > 0 ? refuseS3(response, 503, 'SlowDown') : undefined,
  );
  t.ok((await readShared(kit, small))?.equals(small.bytes));
  failures = 2;
  t.equal(await readShared(kit, small), undefined, 'not twice');
  t.equal(kit.metrics.counted(errors, { operation: 'get', because: 'failing' }), 3);
  t.ok(kit.shared.isUp());
});

for (const [what, because, fault] of [
  ['fails', 'failing', (response: ServerResponse) => refuseS3(response, 500, 'InternalError')],
  [
    'lets us in no more',
    'refused',
    (response: ServerResponse) => refuseS3(response, 403, 'InvalidAccessKeyId'),
  ],
  [
    'lost the bucket',
    'refused',
    (response: ServerResponse) => refuseS3(response, 404, 'NoSuchBucket'),
  ],
  [
    'cuts connections',
    'unreachable',
    (response: ServerResponse) => (response.destroy(), 'handled' as const),
  ],
] as const) {
  t.test(`a service that ${what} is left alone until it is well again`, async (t) => {
    const s3 = await startFakeS3(t);
    const kit = openS3Kit(t, s3.address, { link: { ...patient, maxFailures: 3 } });
    await kit.shared.share(small.name, opening(small));
    s3.setFault((_request, response) => fault(response));
    while (kit.shared.isUp()) t.equal(await readShared(kit, small), undefined);
    const asked = s3.count(/^GET/);
    t.equal(await readShared(kit, small), undefined, 'at once');
    t.equal(s3.count(/^GET/), asked, 'and nobody was asked');
    t.ok(kit.metrics.counted(errors, { because }) >= 3);
    t.ok(kit.metrics.counted(errors, { because: 'not-asked' }) >= 1);
    s3.setFault(undefined);
    await untilTrue(async () => kit.shared.isUp());
    t.ok((await readShared(kit, small))?.equals(small.bytes));
    const said = kit.log.lines.map(({ message }) => message);
    t.ok(said.includes('S3 is asked again'));
    const secret = JSON.stringify(kit.log.lines);
    t.notMatch(secret, /a secret of the tests|Signature|tester/);
  });
}

t.test('a service that never answers holds up nobody beyond its deadline', async (t) => {
  const s3 = await startFakeS3(t);
  const kit = openS3Kit(t, s3.address, { link: { callMs: 50, maxFailures: 2, probeEveryMs: 20 } });
  s3.setFault(silent);
  t.equal(await readShared(kit, small), undefined);
  await kit.shared.share(small.name, opening(small));
  t.equal(kit.shared.isUp(), false);
  t.ok(kit.metrics.counted(errors, { because: 'late' }) >= 2);
});

t.test('what there is not is an answer, however often', async (t) => {
  const s3 = await startFakeS3(t);
  const kit = openS3Kit(t, s3.address, { link: { maxFailures: 2 } });
  for (let count = 0; count < 5; count += 1) t.equal(await readShared(kit, small), undefined);
  t.ok(kit.shared.isUp());
  t.equal(kit.metrics.counted(errors), 0);
});

t.test('bytes that stop coming, or come too slowly, end the transfer', async (t) => {
  const s3 = await startFakeS3(t);
  const stalls = { ...limits, idleMs: 100 };
  const kit = openS3Kit(t, s3.address, { limits: stalls });
  s3.put(kit.keys.blob(large.name.digest), large.bytes);
  s3.setFault((_request, response) => {
    response.writeHead(200, { 'content-length': large.name.size, etag: '"x"' });
    response.write(large.bytes.subarray(0, 1_000_000));
    return 'handled';
  });
  await t.rejects(readShared(kit, large), { code: 'LATE' });
  const dripping = { ...limits, idleMs: 300, minBytesPerSecond: 1e9 };
  const impatient = openS3Kit(t, s3.address, { limits: dripping });
  s3.setFault((_request, response) => {
    response.writeHead(200, { 'content-length': large.name.size, etag: '"x"' });
    const drip = setInterval(() => response.write('x'), 20);
    response.once('close', () => clearInterval(drip));
    return 'handled';
  });
  await t.rejects(readShared(impatient, large), { code: 'LATE' });
});

t.test('a transfer that breaks off fails, and is nothing where it was small', async (t) => {
  const s3 = await startFakeS3(t);
  const kit = openS3Kit(t, s3.address, { limits });
  const cut = (bytes: Buffer, sent: number) =>
    s3.setFault((_request, response) => {
      response.writeHead(200, { 'content-length': bytes.length, etag: '"x"' });
      response.write(bytes.subarray(0, sent), () => response.destroy());
      return 'handled';
    });
  cut(large.bytes, 1_000_000);
  await t.rejects(readShared(kit, large), /aborted|closed|reset|hang up/i);
  cut(small.bytes, 4_000);
  t.equal(await readShared(kit, small), undefined);
  t.equal(kit.metrics.counted('assay_s3_bad_objects_total'), 0, 'which says nothing of the object');
});

t.test('manifests are shared by repository, and believed by their digest alone', async (t) => {
  const s3 = await startFakeS3(t);
  const kit = openS3Kit(t, s3.address);
  const { digest } = small.name;
  const kept = { bytes: small.bytes, contentType: 'application/vnd.oci.image.manifest.v1+json' };
  const key = { kind: 'manifest', place: 'reg/app', digest } as const;
  await kit.shared.putKept(key, kept);
  t.match(await kit.shared.getKept(key, never), { contentType: kept.contentType });
  t.ok((await kit.shared.getKept(key, never))!.bytes.every((byte, at) => byte === small.bytes[at]));
  t.equal(await kit.shared.getKept({ ...key, place: 'reg/other' }, never), undefined);
  const [name] = [...s3.objects.keys()];
  t.notMatch(name, 'app', 'nobody writes the names of keys');
  for (const wrong of [Buffer.from('\u0003abcdef'), Buffer.alloc(0), Buffer.alloc(5 << 20, 1)]) {
    s3.put(name!, wrong);
    t.equal(await kit.shared.getKept(key, never), undefined);
  }
  t.equal(kit.metrics.counted('assay_s3_bad_objects_total', { because: 'bytes' }), 2);
  s3.setFault((_request, response) => refuseS3(response, 500, 'InternalError'));
  await kit.shared.putKept(key, kept);
  t.equal(await kit.shared.getKept(key, never), undefined);
  await t.rejects(kit.shared.getKept(key, AbortSignal.abort(new Error('gone'))), {
    message: 'gone',
  });
});

t.test('a sweep ends what was begun long ago, and leaves alone what is whole', async (t) => {
  const s3 = await startFakeS3(t);
  const kit = openS3Kit(t, s3.address, {
    limits: { keepStagingMs: 60_000, keepQuarantineMs: 120_000 },
  });
  const ago = (ms: number) => new Date(systemClock.now().getTime() - ms);
  const begin = (id: string, begunAt: Date, key = `${kit.keys.allStaging}x`) =>
    s3.uploads.set(id, { key, begunAt, parts: new Map() });
  begin('old', ago(61_000));
  begin('old too', ago(61_000), kit.keys.blob(large.name.digest));
  begin('new', ago(1_000));
  for (let index = 0; index < 5; index += 1) {
    s3.put(`${kit.keys.allStaging}${index}`, Buffer.alloc(10), ago(61_000));
  }
  s3.put(`${kit.keys.allStaging}new`, Buffer.alloc(10), ago(1_000));
  s3.put(`${kit.keys.allQuarantine}old`, Buffer.alloc(7), ago(121_000));
  s3.put(`${kit.keys.allQuarantine}new`, Buffer.alloc(7), ago(61_000));
  s3.put(kit.keys.blob(small.name.digest), small.bytes, ago(1_000_000));
  t.strictSame(await kit.shared.sweep(never), { files: 8, bytes: 57 });
  t.strictSame([...s3.uploads.keys()], ['new']);
  t.strictSame([...s3.objects.keys()].toSorted(), [
    kit.keys.blob(small.name.digest),
    `${kit.keys.allQuarantine}new`,
    `${kit.keys.allStaging}new`,
  ]);
});

t.test('a sweep leaves alone what a service lists that was not asked for', async (t) => {
  const s3 = await startFakeS3(t);
  const kit = openS3Kit(t, s3.address, { limits: { keepStagingMs: 1, keepQuarantineMs: 1 } });
  const past = new Date(systemClock.now().getTime() - 61_000);
  const whole = kit.keys.blob(small.name.digest);
  for (const key of [whole, 'somebody/else', `${kit.keys.allStaging}old`]) {
    s3.put(key, Buffer.alloc(10), past);
    s3.uploads.set(key, { key, begunAt: past, parts: new Map() });
  }
  s3.setFault(({ query }) => {
    // As one that knows no prefixes.
    query.delete('prefix');
    return undefined;
  });
  await kit.shared.sweep(never);
  t.strictSame([...s3.objects.keys()], [whole, 'somebody/else']);
  t.strictSame([...s3.uploads.keys()], ['somebody/else'], 'uploads of content are ours');
});
