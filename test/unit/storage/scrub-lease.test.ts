import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { systemClock } from '../../../src/kernel/clock.ts';
import { systemFiles } from '../../../src/storage/file-system.ts';
import { type ProcessIdentity, readOwnIdentity } from '../../../src/storage/process-identity.ts';
import { takeScrubLease } from '../../../src/storage/scrub-lease.ts';
import { makeFolders, makeStoreFolder } from '../../../src/storage/store-folder.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';

const own = await readOwnIdentity(systemFiles);
const dead: ProcessIdentity = { ...own, started: '1' };
const unseen: ProcessIdentity = { ...own, namespace: 'pid:[1]' };
const silentMs = 300_000;

async function open(t: Test) {
  const folder = makeStoreFolder(t.testdir());
  await makeFolders(folder, systemFiles);
  const clock = makeFakeClock(systemClock.now().toISOString());
  const take = (identity = own) =>
    takeScrubLease({ folder, files: systemFiles, clock, own: identity, silentMs });
  return { folder, clock, take };
}

t.test('one has it, until it gives it back', async (t) => {
  const { folder, take } = await open(t);
  const lease = await take();
  t.ok(lease);
  t.equal(await take(), undefined);
  await lease?.release();
  t.equal(existsSync(folder.scrubLock), false);
  t.ok(await take());
  t.strictSame(readdirSync(folder.staging), [], 'no draft is left');
});

t.test('that of a dead process is taken over at once', async (t) => {
  const { take } = await open(t);
  await take(dead);
  t.ok(await take());
});

t.test('that of a process out of sight is taken over when nothing is heard of it', async (t) => {
  const { take, clock } = await open(t);
  const theirs = await take(unseen);
  clock.advanceMs(silentMs - 1_000);
  t.equal(await take(), undefined);
  t.equal(await theirs?.renew(), true);
  clock.advanceMs(silentMs - 1_000);
  t.equal(await take(), undefined, 'it was renewed');
  clock.advanceMs(2_000);
  const ours = await take();
  t.ok(ours);
  t.equal(await theirs?.renew(), false);
  t.equal(await ours?.renew(), true);
});

t.test('renewing what another one has does not prolong it, and releasing leaves it', async (t) => {
  const { folder, take, clock } = await open(t);
  const theirs = await take(dead);
  const ours = await take();
  const before = statSync(folder.scrubLock).mtimeMs;
  clock.advanceMs(1_000);
  t.equal(await theirs?.renew(), false);
  t.equal(statSync(folder.scrubLock).mtimeMs, before);
  await theirs?.release();
  t.equal(await ours?.renew(), true);
});

t.test('without its file it is lost', async (t) => {
  const { take } = await open(t);
  const lease = await take();
  await lease?.release();
  t.equal(await lease?.renew(), false);
});

t.test('a lock that can not be read is one of somebody, until nothing is heard', async (t) => {
  const { folder, take, clock } = await open(t);
  writeFileSync(folder.scrubLock, 'nonsense\n');
  t.equal(await take(), undefined);
  clock.advanceMs(silentMs + 60_000);
  t.ok(await take());
});
