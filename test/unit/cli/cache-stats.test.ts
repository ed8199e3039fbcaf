import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { CacheStats } from '../../../src/compose/cache.ts';
import { writeConfiguration } from '../../support/app-kit.ts';
import {
  contents,
  digests,
  makeCacheKit,
  makeSharedCacheKit,
  refusesEach,
} from '../../support/cache-kit.ts';
import { runInProcess } from '../../support/run-assay.ts';

t.test('stats tell what is stored, of how much, and what the disk has left', async (t) => {
  const storage = { path: './data', maxBytes: '1 MiB' };
  const { cache, json, age } = await makeCacheKit(t, { storage });
  await age(digests[0]!, 86_400_000);
  const run = await cache('stats');
  t.equal(run.code, 0);
  t.match(run.stdout, /data: 6\.\d KiB of 1\.0 MiB\nblobs +6\.0 KiB in 3 files\n/);
  t.match(run.stdout, /manifests +3 B in 1 entry\noldest use +\d{4}-/);
  const stats = await json<CacheStats>('stats');
  t.match(stats, {
    maxBytes: 1024 ** 2,
    blobs: { files: 3, bytes: 6144 },
    partial: { files: 0, bytes: 0 },
    kept: { files: 1, bytes: 3 },
  });
  t.ok(Number(stats.free?.bytes) > 0);
});

t.test('what it does not take is refused', async (t) => {
  await refusesEach(t, {
    'stats more': /one argument too many/,
    'stats --yes': /'assay cache stats' takes no --yes/,
  });
});

t.test('a folder that can not be used is a bad configuration', async (t) => {
  const file = writeConfiguration(t, {
    upstreams: { reg: 'http://127.0.0.1:1' },
    config: { storage: { path: './file/data' } },
  });
  await writeFile(join(file, '..', 'file'), 'in the way');
  const run = await runInProcess(['cache', 'stats', '--config', file]);
  t.equal(run.code, 78);
  t.match(run.stderr, /storage\.path/);
});

t.test('stats of what is shared list the bucket, where there is one', async (t) => {
  const { cache, json, share } = await makeSharedCacheKit(t);
  await share(contents[0]!);
  t.match(await json('stats'), { shared: undefined });
  t.match(await json('stats', '--shared'), {
    blobs: { files: 3 },
    shared: { blobs: { files: 1, bytes: 2048 }, kept: { files: 0 } },
  });
  t.match((await cache('stats', '--shared')).stdout, /\nin S3:\nblobs +2\.0 KiB in 1 object\n/);
  await refusesEach(t, { 'stats --shared': /--shared needs `storage\.s3`/ });
});
