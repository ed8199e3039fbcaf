import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { ScrubReport } from '../../../src/compose/cache.ts';
import {
  contents,
  digests,
  makeCacheKit,
  makeSharedCacheKit,
  refusesEach,
} from '../../support/cache-kit.ts';
import { refuseS3 } from '../../support/fake-s3.ts';

t.test('a scrub of what is right says so and ends with 0', async (t) => {
  const { cache, json } = await makeCacheKit(t);
  const run = await cache('scrub');
  t.strictSame(run, { code: 0, stdout: 'scrubbed 3 files, 6.0 KiB: none bad\n', stderr: '' });
  const report = await json<ScrubReport>('scrub', '--rate', '1 GiB');
  t.match(report, { files: 3, bytes: 6144, bad: 0, isComplete: true });
});

t.test('a scrub that finds something bad names it, ends with 1, and puts it aside', async (t) => {
  const { cache, path, stored, fileOf } = await makeCacheKit(t);
  const flipped = Buffer.from(contents[1]!.bytes);
  flipped[7]! ^= 4;
  await writeFile(fileOf(digests[1]!), flipped);
  const run = await cache('scrub');
  t.equal(run.code, 1);
  t.equal(run.stdout, `scrubbed 3 files, 6.0 KiB: 1 bad\nbad: ${digests[1]}\n`);
  t.equal((await stored()).length, 2);
  t.equal((await readdir(join(path, 'quarantine'))).length, 1);
  t.match((await cache('stats')).stdout, /\nquarantine +2\.0 KiB in 1 file\n/);
  t.equal((await cache('scrub')).code, 0);
});

t.test('a scrub goes on after a digest', async (t) => {
  const { json } = await makeCacheKit(t);
  const [first = ''] = digests.toSorted();
  t.match(await json<ScrubReport>('scrub', '--after', first), { files: 2, isComplete: true });
});

t.test('what it does not take is refused', async (t) => {
  await refusesEach(t, {
    'scrub more': /one argument too many/,
    'scrub --rate fast': /--rate takes a size/,
    'scrub --rate 0B': /--rate takes a size above 0/,
    'scrub --after x': /--after takes a digest/,
  });
});

t.test('a scrub of what is shared reads the bucket, and puts aside what is bad', async (t) => {
  const { cache, s3, share } = await makeSharedCacheKit(t);
  for (const content of contents) await share(content);
  const right = await cache('scrub', '--shared', '--rate', '1 GiB');
  t.strictSame(right, { code: 0, stdout: 'scrubbed 3 files, 6.0 KiB: none bad\n', stderr: '' });
  const key = [...s3.objects.keys()].find((each) => each.endsWith(digests[1]!.slice(7)))!;
  s3.put(key, Buffer.alloc(2048));
  s3.put(`${key}.txt`, Buffer.alloc(1));
  s3.put('assay/tmp/left', Buffer.alloc(7), new Date(0));
  const run = await cache('scrub', '--shared');
  t.equal(run.code, 1);
  t.equal(
    run.stdout,
    `scrubbed 3 files, 6.0 KiB: 1 bad\nbad: ${digests[1]}\n` +
      '1 object that no digest names, left there\nremoved 1 leftover, 7 B\n',
  );
  t.notOk(s3.objects.has(key));
  t.match(
    (await cache('stats', '--shared')).stdout,
    /^in S3:\n.*\nquarantine +2\.0 KiB in 1 obj/ms,
  );
});

t.test('a scrub that S3 ends is inconclusive, and says why', async (t) => {
  const { cache, s3, share } = await makeSharedCacheKit(t);
  await share(contents[0]!);
  let lists = 0;
  s3.setFault(({ query }, response) => {
    lists += query.has('list-type') ? 1 : 0;
    return lists > 7 ? refuseS3(response, 403, 'AccessDenied') : undefined;
  });
  const run = await cache('scrub', '--shared');
  t.equal(run.code, 2);
  t.match(run.stdout, /\nstopped before its end: S3 refuses: 403 /);
});
