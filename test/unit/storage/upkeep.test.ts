import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../../../src/kernel/clock.ts';
import { openStoreDisk } from '../../../src/storage/store-disk.ts';
import { makeUpkeep } from '../../../src/storage/upkeep.ts';
import { makeFaultyFiles } from '../../support/faulty-files.ts';

const { signal } = new AbortController();
const ages = { silentMs: 300_000, keepPartialMs: 86_400_000 };

t.test('what fails on disk is an error of the store, named and counted', async (t) => {
  const path = t.testdir();
  const files = makeFaultyFiles();
  const disk = await openStoreDisk(
    { path, readOnlyMs: 1000, silentMs: ages.silentMs },
    { files, clock: systemClock },
  );
  const upkeep = makeUpkeep(disk, ages);
  writeFileSync(join(path, 'trash', 'a'), '');
  writeFileSync(join(path, 'quarantine', 'b'), 'b');
  writeFileSync(join(path, 'staging', `sha256-${'0'.repeat(64)}.part`), '');
  files.fail('unlink', /./, 'EROFS');
  files.fail('link', /./, 'EROFS');
  const failed = (message: RegExp) => ({ code: 'STORAGE_FAILED', message });
  await t.rejects(upkeep.sweep(signal), failed(/^the leftovers of the store can't be read/));
  await t.rejects(upkeep.purgePartial({}, signal), failed(/^unfinished content can't be stored/));
  const bounds = { maxBytes: 0, maxAgeMs: 1000 };
  await t.rejects(upkeep.trimQuarantine(bounds), failed(/^the quarantine can't be stored/));
  await t.rejects(upkeep.beginScrub(), failed(/^who scrubs can't be stored/));
  files.heal();
  await upkeep.sweep(signal);
  await upkeep.purgePartial({}, signal);
  await upkeep.trimQuarantine(bounds);
  for (const folder of ['trash', 'quarantine']) {
    t.strictSame(readdirSync(join(path, folder)), [], folder);
  }
  t.equal(readdirSync(join(path, 'staging')).filter((name) => name.endsWith('.part')).length, 0);
  const lease = await upkeep.beginScrub();
  t.equal(await upkeep.beginScrub(), undefined);
  await lease?.release();
});
