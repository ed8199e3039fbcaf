import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { Purged } from '../../../src/compose/cache.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import {
  contents,
  digests,
  makeCacheKit,
  makeSharedCacheKit,
  manifest,
  refusesEach,
} from '../../support/cache-kit.ts';
import { refuseS3 } from '../../support/fake-s3.ts';

t.test('named digests are purged, blobs and manifests; what is not there is told', async (t) => {
  const { json, stored } = await makeCacheKit(t);
  const absent = digestOf(Buffer.from('absent'));
  const purged = await json<Purged>('purge', digests[0]!, digestOf(manifest), absent);
  t.match(purged, {
    blobs: { files: 1, bytes: 2048 },
    kept: { files: 1, bytes: 3 },
    absent: [absent],
  });
  t.strictSame(
    await stored(),
    [1, 2].map((index) => digests[index]!.slice('sha256:'.length)).toSorted(),
  );
});

t.test('blobs that nobody asked for so long are purged', async (t) => {
  const { cache, age, stored } = await makeCacheKit(t);
  await age(digests[0]!, 31 * 86_400_000);
  await age(digests[1]!, 29 * 86_400_000);
  const run = await cache('purge', '--older-than', '30d');
  t.equal(run.code, 0);
  t.match(run.stdout, /^purged 1 blob, 2\.0 KiB, 0 manifests/);
  t.equal((await stored()).length, 2);
});

t.test('everything is purged, with a yes, and the folder is left empty', async (t) => {
  const { cache, json, path, stored } = await makeCacheKit(t);
  const asked = await cache('purge', '--all');
  t.equal(asked.code, 64);
  t.match(asked.stderr, /say --yes too/);
  t.equal((await stored()).length, 3);
  t.match(await json('purge', '--all', '--yes'), { blobs: { files: 3 }, kept: { files: 1 } });
  t.strictSame(await stored(), []);
  t.strictSame(await readdir(join(path, 'trash')), []);
  t.match(await json('stats'), { blobs: { files: 0, bytes: 0 }, kept: { files: 0 } });
});

t.test('unfinished blobs are purged with the rest; what is in quarantine stays', async (t) => {
  const { cache, json, path } = await makeCacheKit(t);
  const stem = join(path, 'staging', `sha256-${'a'.repeat(64)}`);
  await writeFile(`${stem}.part`, 'half of it');
  await writeFile(`${stem}.journal`, 'content 20 -\n');
  await writeFile(join(path, 'quarantine', 'sha256-bad'), 'bad');
  const stats = { partial: { files: 1, bytes: 10 }, quarantined: { files: 1, bytes: 3 } };
  t.match(await json('stats'), stats);
  t.match(
    (await cache('stats')).stdout,
    /^unfinished  10 B in 1 file\n.*\nquarantine  3 B in 1 file$/ms,
  );
  t.match(await json('purge', '--older-than', '1d'), { partial: { files: 0 } });
  t.match(await json('purge', digests[0]!), { partial: { files: 0 } });
  const run = await cache('purge', '--all', '--yes');
  t.match(run.stdout, /^purged 2 blobs, 4\.0 KiB, 2 unfinished files of 23 B, 1 manifest/);
  t.strictSame(await readdir(join(path, 'staging')), []);
  t.strictSame(await readdir(join(path, 'quarantine')), ['sha256-bad']);
});

t.test('what can not be understood is refused, and nothing is purged', async (t) => {
  await refusesEach(t, {
    purge: /name digests, or say --older-than AGE, or --all/,
    'purge --yes': /name digests/,
    'purge --all --older-than 3d --yes': /name digests/,
    'purge sha256:abc': /is no digest/,
    'purge --older-than soon': /an age such as 12h or 30d/,
    'purge --older-than 3d --yes': /--yes belongs to --all/,
  });
});

t.test('what is in S3 is purged too, unless told not to, and each place is told', async (t) => {
  const { cache, json, s3, share } = await makeSharedCacheKit(t);
  for (const content of contents) await share(content);
  t.match(await json('purge', digests[0]!, '--local'), { blobs: { files: 1 }, absent: [] });
  t.equal(s3.count(/^(?:HEAD|DELETE)/), contents.length, 'nothing was asked but by who shared');
  const [gone, there] = [digestOf(Buffer.from('gone')), digests[0]!];
  const run = await cache('purge', there, digests[1]!, gone);
  t.equal(run.code, 0);
  t.equal(
    run.stdout,
    'purged 1 blob, 2.0 KiB, 0 manifests and small blobs\n' +
      `in S3: 2 blobs, 4.0 KiB, 0 manifests\nnot here: ${gone}\n`,
  );
  t.match(await json('purge', '--older-than', '1d'), { shared: undefined });
  t.match(await json('purge', '--all', '--yes'), {
    blobs: { files: 1 },
    shared: { blobs: { files: 1, bytes: 2048 }, kept: { files: 0 } },
  });
  t.equal(s3.objects.size, 0);
});

t.test('where S3 is away the disk is purged, and the command ends with 2', async (t) => {
  const { cache, s3, stored } = await makeSharedCacheKit(t);
  s3.setFault((_request, response) => refuseS3(response, 403, 'AccessDenied'));
  const run = await cache('purge', digests[0]!, digestOf(Buffer.from('gone')));
  t.equal(run.code, 2);
  t.match(
    run.stdout,
    /^purged 1 blob.*\nin S3: 0 blobs.*\nthe rest of it stays in S3: S3 refuses/m,
  );
  t.match(run.stdout, /\nnot on this disk: sha256/);
  t.equal((await stored()).length, 2);
});
