import t, { type Test } from 'tap';
import { systemClock } from '../../../src/kernel/clock.ts';
import type { Staging } from '../../../src/storage/blob-store.ts';
import { type FsBlobStoreOptions, openFsBlobStore } from '../../../src/storage/fs-blob-store.ts';
import { makeContent } from '../../contract/blob-store.ts';
import { makeFaultyFiles } from '../../support/faulty-files.ts';

const content = makeContent(1_000);
const { name, bytes } = content;

async function openTwo(t: Test) {
  const options: FsBlobStoreOptions = { path: t.testdir() };
  const files = makeFaultyFiles();
  const here = await openFsBlobStore(options, { clock: systemClock, files });
  const there = await openFsBlobStore(options, { clock: systemClock });
  t.teardown(() => Promise.all([here.close(), there.close()]));
  return { files, here, there };
}

for (const [what, call, path] of [
  ['be made', 'open', /\.part$/],
  ['be written', 'writev', /\.part$/],
] as const) {
  t.test(`whose files can not ${what} keeps nobody else from storing the content`, async (t) => {
    const { files, here, there } = await openTwo(t);
    files.fail(call, path, 'ENOSPC');
    const passing = (await here.begin(name)) as Staging;
    await t.rejects(passing.append([bytes.subarray(0, 400)]), { code: 'STORAGE_FAILED' });
    t.equal(await there.follow(name), undefined, 'there is nothing to follow');
    const storing = (await there.begin(name)) as Staging;
    await storing.append([bytes]);
    passing.pass(bytes.subarray(400));
    t.ok(passing.matches());
    await passing.discard();
    await passing.release();
    t.equal(await there.begin(name), 'taken', 'the end of the one is not that of the other');
    t.ok(storing.matches());
    await storing.commit();
    await storing.release();
    t.ok(await there.stat(name.digest));
  });
}
