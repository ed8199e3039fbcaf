import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { systemClock } from '../../../src/kernel/clock.ts';
import type { BlobStore } from '../../../src/storage/blob-store.ts';
import { openFsBlobStore } from '../../../src/storage/fs-blob-store.ts';
import { begun, makeContent } from '../../contract/blob-store.ts';
import { makeFaultyFiles } from '../../support/faulty-files.ts';

const content = makeContent(1000);
const stem = content.name.digest.replace(':', '-');
const owner = 'ab'.repeat(8);
const { signal } = new AbortController();
const minute = 60;
const day = 24 * 60 * minute;

interface Kit {
  readonly store: BlobStore;
  write(file: string, ageSeconds: number, text?: string): void;
  names(folder: string): readonly string[];
  readonly files: ReturnType<typeof makeFaultyFiles>;
}

async function open(t: Test): Promise<Kit> {
  const path = t.testdir();
  const files = makeFaultyFiles();
  const store = await openFsBlobStore({ path }, { clock: systemClock, files });
  return {
    store,
    files,
    write(file, ageSeconds, text = 'text') {
      writeFileSync(join(path, file), text);
      const then = systemClock.now().getTime() / 1000 - ageSeconds;
      utimesSync(join(path, file), then, then);
    },
    names: (folder) => readdirSync(join(path, folder)).toSorted(),
  };
}

t.test('trash goes, whatever its age', async (t) => {
  const { store, write, names } = await open(t);
  write('trash/anything', 0);
  t.strictSame(await store.sweep(signal), { files: 1, bytes: 4 });
  t.strictSame(names('trash'), []);
});

t.test('partial content of nobody goes after a day', async (t) => {
  const { store, write, names } = await open(t);
  write(`staging/${stem}.part`, day - minute);
  write(`staging/${stem}.journal`, 2 * day);
  await store.sweep(signal);
  t.strictSame(names('staging'), [`${stem}.journal`, `${stem}.part`]);
  write(`staging/${stem}.part`, day + minute);
  await store.sweep(signal);
  t.strictSame(names('staging'), []);
});

t.test(
  'a journal without its part goes after minutes, and so do drafts and strangers',
  async (t) => {
    const { store, write, names } = await open(t);
    for (const name of [`${stem}.journal`, `${owner}.draft`, `${owner}.dropped`, 'what-is-this']) {
      write(`staging/${name}`, 4 * minute);
    }
    await store.sweep(signal);
    t.equal(names('staging').length, 4);
    for (const name of names('staging')) write(`staging/${name}`, 6 * minute);
    await store.sweep(signal);
    t.strictSame(names('staging'), []);
  },
);

t.test('files of an owner without a lease go when nothing is written to them', async (t) => {
  const { store, write, names } = await open(t);
  write(`staging/${stem}.${owner}.part`, 6 * minute);
  write(`staging/${stem}.${owner}.journal`, minute);
  await store.sweep(signal);
  t.strictSame(names('staging'), [`${stem}.${owner}.journal`]);
});

t.test('what a dead process left becomes nobody’s, and stays to be gone on with', async (t) => {
  const { store, write, names } = await open(t);
  write(`staging/${stem}.lock`, minute, `${owner} 1 1 another-boot pid:[1]\n`);
  write(`staging/${stem}.${owner}.part`, 10 * minute);
  write(`staging/${stem}.${owner}.journal`, 10 * minute);
  await store.sweep(signal);
  t.strictSame(names('staging'), [`${stem}.journal`, `${stem}.part`]);
});

t.test('what a live process is at stays, however slow it is', async (t) => {
  const { store, write, names } = await open(t);
  const staging = await begun(store, content.name);
  for (const name of names('staging')) {
    if (!name.endsWith('.lock')) write(`staging/${name}`, 2 * day, 'content 1000 -\n');
  }
  await store.sweep(signal);
  t.equal(names('staging').length, 3);
  await staging.discard();
  await staging.release();
});

t.test('one file that can not be removed keeps none of the others', async (t) => {
  const { store, write, names, files } = await open(t);
  for (const name of ['a', 'b', 'c']) write(`trash/${name}`, 0);
  files.fail('unlink', /b$/, 'EIO');
  await t.rejects(store.sweep(signal), { code: 'STORAGE_FAILED', message: /1 leftovers stay/ });
  t.strictSame(names('trash'), ['b']);
});

t.test('a sweep that is not wanted any more ends', async (t) => {
  const { store, write, names } = await open(t);
  write('trash/anything', 0);
  await store.sweep(AbortSignal.abort());
  t.strictSame(names('trash'), ['anything']);
});

/** Unfinished content of nobody, of a dead process, and notes without any. */
function leaveAll({ write }: Kit): void {
  write(`staging/${stem}.part`, minute);
  write(`staging/${stem}.journal`, minute);
  const dead = `sha256-${'0'.repeat(64)}`;
  write(`staging/${dead}.lock`, 0, `${owner} 1 1 another-boot pid:[1]\n`);
  write(`staging/${dead}.${owner}.part`, 0);
  write(`staging/${dead}.${owner}.journal`, 0);
  write(`staging/sha256-${'1'.repeat(64)}.journal`, 0);
}

t.test('a purge takes all unfinished content that nobody is at, however new', async (t) => {
  const kit = await open(t);
  leaveAll(kit);
  t.strictSame(await kit.store.purgePartial({}, signal), { files: 5, bytes: 20 });
  t.strictSame(kit.names('staging'), []);
});

t.test('a purge of digests takes theirs alone', async (t) => {
  const kit = await open(t);
  leaveAll(kit);
  const digests = new Set([content.name.digest]);
  t.strictSame(await kit.store.purgePartial({ digests }, signal), { files: 2, bytes: 8 });
  t.equal(kit.names('staging').length, 3);
});

t.test('a purge of what is unused leaves what is younger', async (t) => {
  const kit = await open(t);
  leaveAll(kit);
  kit.write(`staging/${stem}.part`, day + minute);
  await kit.store.purgePartial({ unusedMs: day * 1000 }, signal);
  const dead = `sha256-${'0'.repeat(64)}`;
  t.strictSame(kit.names('staging'), [`${dead}.journal`, `${dead}.part`]);
});

t.test('a purge leaves what is being stored, and the trash to the sweep', async (t) => {
  const { store, write, names } = await open(t);
  const staging = await begun(store, content.name);
  await staging.append([content.bytes]);
  write(`staging/${stem}.${'cd'.repeat(8)}.part`, 0);
  write('trash/anything', 0);
  t.strictSame(await store.purgePartial({}, signal), { files: 0, bytes: 0 });
  t.equal(names('staging').length, 4, 'also what another process may be writing');
  t.strictSame(names('trash'), ['anything']);
  t.ok(staging.matches());
  await staging.commit();
  await staging.release();
  t.ok(await store.stat(content.name.digest));
});
