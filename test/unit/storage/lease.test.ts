import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { systemClock } from '../../../src/kernel/clock.ts';
import { systemFiles } from '../../../src/storage/file-system.ts';
import { type Leases, makeLeases } from '../../../src/storage/lease.ts';
import { type ProcessIdentity, readOwnIdentity } from '../../../src/storage/process-identity.ts';
import {
  makeFolders,
  makeStoreFolder,
  type StoreFolder,
} from '../../../src/storage/store-folder.ts';
import { makeContent } from '../../contract/blob-store.ts';

const { digest } = makeContent(10).name;
const own = await readOwnIdentity(systemFiles);
const dead: ProcessIdentity = { ...own, started: '1' };
const unseen: ProcessIdentity = { ...own, namespace: 'pid:[1]' };

interface Kit {
  readonly folder: StoreFolder;
  as(identity: ProcessIdentity): Leases;
  names(): readonly string[];
}

async function open(t: Test): Promise<Kit> {
  const folder = makeStoreFolder(t.testdir());
  await makeFolders(folder, systemFiles);
  return {
    folder,
    as: (identity) =>
      makeLeases({
        folder,
        files: systemFiles,
        clock: systemClock,
        own: identity,
        silentMs: 60_000,
      }),
    names: () => readdirSync(folder.staging).toSorted(),
  };
}

/** Makes a file look as if nothing had been written to it for an hour. */
function silence(file: string): void {
  const then = systemClock.now().getTime() / 1000 - 3600;
  utimesSync(file, then, then);
}

t.test('one has it, until it is given back', async (t) => {
  const { as, names } = await open(t);
  const lease = await as(own).take(digest);
  t.ok(lease);
  t.equal(await as(own).take(digest), undefined);
  t.match(await as(own).holder(digest), { owner: lease?.owner, state: 'active' });
  await lease?.release();
  t.equal(await as(own).holder(digest), undefined);
  t.ok(await as(own).take(digest));
  t.equal(names().length, 1, 'no draft is left');
});

t.test('of many who ask at once one gets it', async (t) => {
  const { as } = await open(t);
  const leases = await Promise.all(Array.from({ length: 20 }, () => as(own).take(digest)));
  t.equal(leases.filter(Boolean).length, 1);
});

t.test('that of a dead process is taken, and what it left becomes nobody’s', async (t) => {
  const { as, folder } = await open(t);
  const lease = await as(dead).take(digest);
  const left = folder.partial(digest, lease?.owner);
  writeFileSync(left.part, 'part');
  writeFileSync(left.journal, 'journal');
  const next = await as(own).take(digest);
  t.ok(next);
  const inherited = folder.partial(digest, undefined);
  t.equal(readFileSync(inherited.part, 'utf8'), 'part');
  t.equal(readFileSync(inherited.journal, 'utf8'), 'journal');
  await lease?.release();
  t.match(await as(own).holder(digest), { owner: next?.owner }, 'what is not its own it leaves');
});

t.test('of many who find a dead one’s, one gets it', async (t) => {
  const { as, names } = await open(t);
  for (let round = 0; round < 20; round += 1) {
    const left = await as(dead).take(digest);
    t.ok(left);
    const leases = await Promise.all(Array.from({ length: 8 }, () => as(own).take(digest)));
    const got = leases.filter((lease) => lease !== undefined);
    t.ok(got.length <= 1, 'never two');
    for (const lease of got) await lease.release();
    if (got.length === 0) await (await as(own).take(digest))?.release();
  }
  t.strictSame(names(), []);
});

t.test('one out of sight has it, as long as it writes', async (t) => {
  const { as, folder } = await open(t);
  const lease = await as(unseen).take(digest);
  t.equal(await as(own).take(digest), undefined);
  const { part, journal } = folder.partial(digest, lease?.owner);
  silence(folder.lock(digest));
  writeFileSync(part, 'part');
  t.equal(await as(own).take(digest), undefined, 'its part has just been written to');
  writeFileSync(journal, '');
  silence(part);
  t.ok(await as(own).take(digest), 'and silence keeps nobody waiting');
  t.equal(readFileSync(part, 'utf8'), 'part', 'its file stays its own: it may be writing yet');
});

t.test('a lease that nobody can read is as good as one of somebody out of sight', async (t) => {
  const { as, folder } = await open(t);
  for (const text of ['\n', 'nonsense\n', `${'a'.repeat(16)} 1 2\n`]) {
    writeFileSync(folder.lock(digest), text);
    t.equal(await as(own).take(digest), undefined);
    silence(folder.lock(digest));
    const lease = await as(own).take(digest);
    t.ok(lease);
    await lease?.release();
  }
});

t.test('another digest is another matter', async (t) => {
  const { as, folder } = await open(t);
  t.ok(await as(own).take(digest));
  t.ok(await as(own).take(makeContent(11).name.digest));
  t.equal(readdirSync(join(folder.staging)).length, 2);
});
