import t, { type Test } from 'tap';
import { digestOf } from '../../../src/oci/digest.ts';
import type { ScrubProgress } from '../../../src/storage/scrub.ts';
import { makeContent } from '../../contract/blob-store.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { refuseS3, startFakeS3 } from '../../support/fake-s3.ts';
import { never, opening, openS3Kit, openUpkeepKit, readShared } from '../../support/s3-kit.ts';

const contents = [
  ...[1, 2, 3, 4].map((seed) => makeContent(3_000 + seed, seed)),
  makeContent(70, 5, 'sha512'),
];
const [first, second] = contents as [(typeof contents)[0], (typeof contents)[0]];
const manifest = Buffer.from('{}');
const kept = (place: string) => ({ kind: 'manifest', place, digest: digestOf(manifest) }) as const;
const unpaced = async (): Promise<void> => undefined;

/** A bucket with shared content, and a manifest of two repositories. */
async function openShared(t: Test) {
  const s3 = await startFakeS3(t);
  const kit = openS3Kit(t, s3.address);
  for (const content of contents) await kit.shared.share(content.name, opening(content));
  for (const place of ['reg/app', 'reg/other']) {
    await kit.shared.putKept(kept(place), { bytes: manifest, contentType: 'text/plain' });
  }
  return { s3, kit, upkeep: openUpkeepKit(t, s3.address, { link: { callMs: 10_000 } }) };
}

t.test('what is asked for goes, a manifest in all repositories, and nothing else', async (t) => {
  const { s3, kit, upkeep } = await openShared(t);
  const wanted = new Set([first.name.digest, digestOf(manifest), digestOf(Buffer.from('absent'))]);
  const purged = await upkeep.purge(wanted, never);
  t.match(purged, { blobs: { files: 1, bytes: 3_001 }, kept: { files: 2 }, stopped: undefined });
  t.strictSame(purged.found.toSorted(), [first.name.digest, digestOf(manifest)].toSorted());
  t.equal(await readShared(kit, first), undefined);
  t.equal(await kit.shared.getKept(kept('reg/app'), never), undefined);
  t.ok((await readShared(kit, second))?.equals(second.bytes));
  t.equal(s3.objects.size, contents.length - 1);
});

t.test('all goes but what is on its way and what was put aside', async (t) => {
  const { s3, kit, upkeep } = await openShared(t);
  const stays = [kit.keys.staging(), kit.keys.quarantine(first.name.digest), 'somebody/else'];
  for (const key of stays) s3.put(key, Buffer.from('x'));
  const purged = await upkeep.purge('all', never);
  t.match(purged, { blobs: { files: contents.length }, kept: { files: 2 }, stopped: undefined });
  t.strictSame([...s3.objects.keys()].toSorted(), stays.toSorted());
});

t.test('a purge that S3 ends says why, and what it did', async (t) => {
  const { s3, upkeep } = await openShared(t);
  s3.setFault(({ method, key }, response) =>
    method === 'DELETE' && key.includes('/kept/')
      ? refuseS3(response, 403, 'AccessDenied')
      : undefined,
  );
  const purged = await upkeep.purge(new Set([first.name.digest, digestOf(manifest)]), never);
  t.match(purged, { blobs: { files: 1 }, kept: { files: 0 }, stopped: /S3 refuses: 403/ });
  await t.rejects(upkeep.purge('all', AbortSignal.abort(new Error('stopped'))), /stopped/);
});

t.test('a scrub of what is right finds nothing, and reads all of it', async (t) => {
  const { upkeep } = await openShared(t);
  const shown: ScrubProgress[] = [];
  const onProgress = (each: ScrubProgress): void => void shown.push({ ...each });
  const report = await upkeep.scrub({ onProgress }, unpaced, never);
  t.match(report, { files: contents.length + 2, bad: 0, unread: 0, strange: 0, isComplete: true });
  const size = contents.reduce((sum, { name }) => sum + name.size, 0);
  t.ok(report.bytes > size && shown.at(-1)?.bytes === report.bytes);
});

t.test('wrong bytes are put aside, a wrong manifest is deleted, and each is named', async (t) => {
  const { s3, kit, upkeep } = await openShared(t);
  const flipped = Buffer.from(first.bytes);
  flipped[17]! ^= 1;
  s3.put(kit.keys.blob(first.name.digest), flipped);
  s3.put(kit.keys.blob(second.name.digest), second.bytes.subarray(1));
  s3.put(kit.keys.kept(kept('reg/app')), Buffer.from('\0{ }'));
  const report = await upkeep.scrub({}, unpaced, never);
  t.match(report, { files: contents.length + 2, bad: 3, unread: 0, isComplete: true });
  const bad = [first.name.digest, second.name.digest, digestOf(manifest)];
  t.strictSame([...report.badDigests].toSorted(), bad.toSorted());
  t.equal(s3.objects.has(kit.keys.blob(first.name.digest)), false);
  t.equal(s3.objects.has(kit.keys.kept(kept('reg/app'))), false);
  t.ok(s3.objects.has(kit.keys.kept(kept('reg/other'))));
  const aside = [...s3.objects.keys()].filter((key) => key.startsWith(kit.keys.allQuarantine));
  t.equal(aside.length, 2);
  t.match(await upkeep.scrub({}, unpaced, never), { bad: 0, files: contents.length - 1 });
});

t.test('a bad object that was put right while it was read stays', async (t) => {
  const { s3, kit, upkeep } = await openShared(t);
  const key = kit.keys.blob(first.name.digest);
  s3.put(key, Buffer.alloc(5));
  s3.setFault(({ method, key: asked }) => {
    if (method === 'HEAD' && asked === key) s3.put(key, first.bytes, new Date(7));
    return undefined;
  });
  t.match(await upkeep.scrub({}, unpaced, never), { bad: 1 });
  t.ok(s3.objects.get(key)?.bytes.equals(first.bytes));
});

t.test('what can not be read is counted and left, and the rest is read', async (t) => {
  const { s3, kit, upkeep } = await openShared(t);
  const key = kit.keys.blob(first.name.digest);
  s3.setFault(({ method, key: asked }, response) => {
    if (method !== 'GET' || asked !== key) return undefined;
    response.writeHead(200, { etag: '"e"', 'content-length': first.name.size });
    response.write(first.bytes.subarray(0, 100), () => response.destroy());
    return 'handled';
  });
  const report = await upkeep.scrub({}, unpaced, never);
  t.match(report, { unread: 1, bad: 0, files: contents.length + 1, isComplete: true });
  t.ok(s3.objects.has(key));
});

t.test('where S3 is away a scrub ends and says so, and goes on after where it was', async (t) => {
  const { s3, upkeep } = await openShared(t);
  let reads = 0;
  s3.setFault(({ method, query }, response) => {
    if (method === 'GET' && !query.has('list-type')) reads += 1;
    return reads > 2 ? refuseS3(response, 503, 'SlowDown') : undefined;
  });
  const stopped = await upkeep.scrub({}, unpaced, never);
  t.match(stopped, { files: 2, isComplete: false, stopped: /^S3/ });
  s3.setFault(undefined);
  const blobs = contents.map(({ name }) => name.digest).toSorted();
  const goOn = openUpkeepKit(t, s3.address);
  const rest = await goOn.scrub({ after: blobs[1] }, unpaced, never);
  t.match(rest, { files: contents.length - 2 + 2, isComplete: true, position: blobs.at(-1) });
});

t.test('an object that no digest names is counted, never read and left', async (t) => {
  const { s3, kit, upkeep } = await openShared(t);
  const key = `${kit.keys.allBlobs}sha256/notes.txt`;
  s3.put(key, Buffer.from('x'));
  t.match(await upkeep.scrub({}, unpaced, never), { strange: 1, bad: 0, isComplete: true });
  t.ok(s3.objects.has(key));
  t.equal(s3.count(/^GET .*notes\.txt/), 0);
});

t.test('a scrub is held back, and ends in order', async (t) => {
  const { upkeep } = await openShared(t);
  const ending = new AbortController();
  let read = 0;
  const pace = async (bytes: number, signal: AbortSignal): Promise<void> => {
    read += bytes;
    ending.abort();
    signal.throwIfAborted();
  };
  const report = await upkeep.scrub({}, pace, ending.signal);
  t.match(report, { isComplete: false, stopped: undefined, files: 0 });
  t.ok(read > 0 && read <= report.bytes);
});

t.test('what is there is counted, each kind by itself, over pages', async (t) => {
  const { s3, kit, upkeep } = await openShared(t);
  s3.put(kit.keys.staging(), Buffer.alloc(10));
  s3.put(kit.keys.quarantine(first.name.digest), Buffer.alloc(20));
  s3.put('somebody/else', Buffer.alloc(1));
  const size = contents.reduce((sum, { name }) => sum + name.size, 0);
  t.match(await upkeep.usage(never), {
    blobs: { files: contents.length, bytes: size },
    kept: { files: 2 },
    partial: { files: 1, bytes: 10 },
    quarantined: { files: 1, bytes: 20 },
  });
});

t.test('a service that gives the same page again is not asked for ever', async (t) => {
  const { s3, kit, upkeep } = await openShared(t);
  const key = kit.keys.blob(first.name.digest);
  s3.setFault(({ query }, response) => {
    if (!query.has('list-type')) return undefined;
    const changed = '<LastModified>2030-01-01T00:00:00Z</LastModified>';
    response.writeHead(200, { 'content-type': 'application/xml' });
    response.end(
      `<ListBucketResult><Contents><Key>${key}</Key><Size>1</Size>${changed}</Contents></ListBucketResult>`,
    );
    return 'handled';
  });
  t.match(await upkeep.usage(never), { blobs: { files: 1, bytes: 1 } });
});

t.test(
  'uploads and temporary keys of a day ago are swept, and nothing that is younger',
  async (t) => {
    const s3 = await startFakeS3(t);
    const clock = makeFakeClock();
    const upkeep = openUpkeepKit(t, s3.address, { clock });
    const kit = openS3Kit(t, s3.address);
    const [old, young] = [kit.keys.staging(), kit.keys.staging()];
    const day = 86_400_000;
    const ago = (ms: number): Date => new Date(clock.now().getTime() - ms);
    s3.put(old, Buffer.alloc(3), ago(day));
    s3.put(young, Buffer.alloc(3), ago(day - 1));
    s3.uploads.set('old', { key: old, begunAt: ago(day), parts: new Map() });
    s3.uploads.set('young', { key: young, begunAt: ago(day - 1), parts: new Map() });
    t.strictSame(await upkeep.sweep(never), { files: 2, bytes: 3 });
    t.strictSame([...s3.objects.keys()], [young]);
    t.strictSame([...s3.uploads.keys()], ['young']);
  },
);
