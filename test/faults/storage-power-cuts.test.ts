import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../../src/kernel/clock.ts';
import type { BlobStore, Staging } from '../../src/storage/blob-store.ts';
import { type FileSystem, systemFiles } from '../../src/storage/file-system.ts';
import { openFsBlobStore } from '../../src/storage/fs-blob-store.ts';
import {
  begun,
  type Content,
  makeContent,
  readBack,
  store as put,
} from '../contract/blob-store.ts';
import { checkStore } from '../support/check-store.ts';
import { makeFakeClock } from '../support/fake-clock.ts';
import {
  type CutStrategy,
  cutStrategies,
  nameOfState,
  stateAfterCut,
  writeState,
} from '../support/power-cut.ts';
import { type DiskStep, makeRecordedFiles } from '../support/recorded-files.ts';
import { openSeed } from '../support/seeded-random.ts';

t.setTimeout(100_000);

const first = makeContent(90_000);
const second = makeContent(70_001, 2, 'sha512');
const contents = [first, second];
const { signal } = new AbortController();
const twoDaysMs = 2 * 86_400_000;

/** What was promised, and the number of steps after which it was. */
interface Promised {
  readonly content: Content;
  readonly what: 'stored' | 'removed';
  readonly after: number;
}

interface Story {
  readonly store: BlobStore;
  promise(content: Content, what: Promised['what']): void;
}

const stories: Readonly<Record<string, (story: Story) => Promise<void>>> = {
  async 'content that is stored at once'({ store, promise }) {
    await put(store, first);
    promise(first, 'stored');
  },
  async 'content that is stored in two goes'({ store, promise }) {
    const staging = await begun(store, first.name);
    await staging.noteValidator('"v1"');
    await append(staging, first, 0, 30_000);
    await staging.keep();
    await staging.release();
    const again = await begun(store, first.name);
    await append(again, first, 30_000, 90_000);
    await finish(again);
    promise(first, 'stored');
  },
  async 'two at the same time, one of them given up'({ store, promise }) {
    const [one, two] = await Promise.all(contents.map(({ name }) => begun(store, name)));
    await Promise.all([append(one!, first, 0, 60_000), append(two!, second, 0, 1)]);
    await Promise.all([append(one!, first, 60_000, 90_000), append(two!, second, 1, 50_000)]);
    await Promise.all([finish(one!), two!.discard()]);
    await two!.release();
    promise(first, 'stored');
  },
  async 'content that is taken away and stored again'({ store, promise }) {
    for (const into of ['trash', 'quarantine'] as const) {
      await put(store, first);
      promise(first, 'stored');
      await store.remove(first.name.digest, into);
      await store.close();
      promise(first, 'removed');
    }
    await put(store, first);
    promise(first, 'stored');
    await store.sweep(signal);
    await store.trimQuarantine({ maxBytes: 0, maxAgeMs: 0 });
  },
};

async function append(staging: Staging, { bytes }: Content, from: number, to: number) {
  const middle = (from + to) >> 1;
  await staging.append([bytes.subarray(from, middle)]);
  await staging.append([bytes.subarray(middle, to)]);
}

async function finish(staging: Staging): Promise<void> {
  if (!staging.matches()) throw new Error('the content does not match');
  await staging.commit();
  await staging.release();
}

/** The machine has started anew. It does not fail again, so that nothing need be waited for. */
const nextBoot: FileSystem = {
  ...systemFiles,
  async open(path, flags, mode) {
    const handle = await systemFiles.open(path, flags, mode);
    return Object.assign(handle, { sync: async () => {}, datasync: async () => {} });
  },
  readFile: (async (path: string, encoding: 'utf8') =>
    path.endsWith('/boot_id')
      ? 'the-next-boot\n'
      : systemFiles.readFile(path, encoding)) as FileSystem['readFile'],
};

for (const [name, tell] of Object.entries(stories)) {
  t.test(`${name}: whenever the power fails, what is there is right`, async (t) => {
    const base = mkdtempSync(join(tmpdir(), 'assay-cut-'));
    t.teardown(() => rmSync(base, { recursive: true }));
    const root = join(base, 'before');
    mkdirSync(root);
    const files = makeRecordedFiles();
    const promised: Promised[] = [];
    const store = await openFsBlobStore({ path: root }, { clock: systemClock, files });
    await tell({
      store,
      promise: (content, what) => void promised.push({ content, what, after: files.steps.length }),
    });
    await store.close();
    const random = openSeed(t);
    const strategies = cutStrategies((share) => random.between(0, 99) < share * 100);
    const { steps } = files;
    t.ok(steps.length > 10, `${steps.length} steps`);
    const wrong: string[] = [];
    const seen = new Set<string>();
    for (let cut = 0; cut <= steps.length; cut += 1) {
      const last = promised.findLast(({ after }) => after <= cut);
      const isUnderWay = promised.some(({ after }) => after > cut);
      for (const strategy of strategies) {
        const expected = last?.what === 'stored' && !isUnderWay ? last.content : undefined;
        const state = stateAfterCut(steps.slice(0, cut), root, strategy);
        const known = `${nameOfState(state)} ${expected?.name.digest}`;
        if (seen.has(known)) continue;
        seen.add(known);
        const folder = join(base, 'after');
        mkdirSync(folder);
        writeState(state, folder);
        const complaints = await complaintsOf(folder, expected);
        wrong.push(...complaints.map((each) => describe(each, steps, cut, strategy)));
        rmSync(folder, { recursive: true });
      }
    }
    t.strictSame(wrong.slice(0, 5), []);
    t.comment(`${seen.size} states after ${steps.length} steps`);
  });
}

/** What is wrong with what the cut left, and with what a new process makes of it. */
async function complaintsOf(
  folder: string,
  expected: Content | undefined,
): Promise<readonly string[]> {
  const found = await checkStore(folder);
  const complaints = [...found.complaints];
  if (expected !== undefined && !found.stored.includes(expected.name.digest)) {
    complaints.push('what was stored is gone');
  }
  const store = await openFsBlobStore({ path: folder }, { clock: systemClock, files: nextBoot });
  await store.sweep(signal);
  for (const content of contents) complaints.push(...(await goOn(store, content)));
  await store.close();
  const days = makeFakeClock(new Date(systemClock.now().getTime() + twoDaysMs).toISOString());
  await (await openFsBlobStore({ path: folder }, { clock: days, files: nextBoot })).sweep(signal);
  const after = await checkStore(folder, { store });
  if (after.staging.length > 0) complaints.push(`${after.staging.join(', ')} are left over`);
  return [...complaints, ...after.complaints];
}

async function goOn(store: BlobStore, content: Content): Promise<readonly string[]> {
  const staging = await store.begin(content.name);
  if (staging === 'taken') return ['a process of before the cut keeps others from storing'];
  if (staging !== 'stored') {
    await staging.append([content.bytes.subarray(staging.prefixBytes)]);
    if (!staging.matches()) return [`${staging.prefixBytes} wrong bytes were gone on with`];
    await staging.commit();
    await staging.release();
  }
  const isRight = (await readBack(store, content.name))?.equals(content.bytes) === true;
  return isRight ? [] : ['what is stored then is not right'];
}

function describe(
  complaint: string,
  steps: readonly DiskStep[],
  cut: number,
  { name }: CutStrategy,
): string {
  const before = steps.slice(Math.max(0, cut - 2), cut).map(({ kind }) => kind);
  return `${complaint}; cut after ${cut} of ${steps.length} (${before.join(', ')}), left: ${name}`;
}

t.test('the double finds a store that renames before it syncs', async (t) => {
  const base = mkdtempSync(join(tmpdir(), 'assay-cut-'));
  t.teardown(() => rmSync(base, { recursive: true }));
  const root = join(base, 'before');
  mkdirSync(root);
  const recorded = makeRecordedFiles();
  const store = await openFsBlobStore({ path: root }, { clock: systemClock, files: recorded });
  await put(store, first);
  await store.close();
  const without = (kind: DiskStep['kind']) => recorded.steps.filter((step) => step.kind !== kind);
  const strategies = cutStrategies(() => false, 0);
  const findings = async (steps: readonly DiskStep[], expected: Content | undefined) => {
    const all: string[] = [];
    for (const [nth, strategy] of strategies.entries()) {
      const folder = join(base, `${steps.length}-${nth}`);
      mkdirSync(folder);
      writeState(stateAfterCut(steps, root, strategy), folder);
      all.push(...(await complaintsOf(folder, expected)));
    }
    return all.join('\n');
  };
  t.match(await findings(without('sync-file'), undefined), /has the hash/);
  t.match(await findings(without('sync-folder'), first), /what was stored is gone/);
  t.equal(await findings(recorded.steps, first), '');
});
