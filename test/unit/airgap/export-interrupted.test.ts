import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openExportFolder, readUnfinished } from '../../../src/airgap/export-folder.ts';
import { endInterrupted, takeSequence } from '../../../src/airgap/export-interrupted.ts';
import { makeExportLedger, type OpenExport } from '../../../src/airgap/export-record.ts';
import { makeSeal } from '../../../src/gate/sealed.ts';
import { manifestOf, stream } from '../../support/airgap-kit.ts';

const { digest: snapshot } = manifestOf('snapshot');
const id = 'a'.repeat(32);

/** An export that was killed when it had come so far. */
async function killed(t: Test, how: 'writing' | 'signing' | 'whole' | 'noted') {
  const folder = t.testdir({ ledger: {}, out: {} });
  const ledger = makeExportLedger(join(folder, 'ledger'), stream, makeSeal([Buffer.alloc(32)]));
  const out = join(folder, 'out');
  await ledger.reserve(1);
  await (await openExportFolder(out)).claim(id, 1);
  const record = {
    stream,
    sequence: 1,
    kind: 'content' as const,
    created: '2030-01-01T00:00:00.000Z',
    tags: {},
    roots: [],
    held: [],
  };
  const isSigned = how !== 'writing';
  const open: OpenExport = {
    id,
    folder: out,
    sequence: 1,
    planDigest: 'plan',
    volumes: [],
    record: isSigned ? record : undefined,
  };
  await ledger.setOpen(open);
  if (how === 'whole' || how === 'noted')
    writeFileSync(join(out, 'metadata', 'timestamp.json'), '');
  if (how === 'noted') {
    await ledger.keep({ ...record, snapshot });
    await ledger.setOpen(undefined);
  }
  return { folder, out, ledger };
}

const snapshotOf = async () => snapshot;
const never = () => Promise.reject(new Error('nothing is to be read'));

t.test('a bundle that was whole is made known, and its folder is its own', async (t) => {
  const { out, ledger } = await killed(t, 'whole');
  t.equal(await endInterrupted(out, ledger, snapshotOf), 1);
  t.match(await ledger.latest(), { sequence: 1, snapshot });
  t.equal(await ledger.open(), undefined);
  t.equal(await readUnfinished(out), undefined);
  await t.rejects(openExportFolder(out), { code: 'BUNDLE_FINISHED' });
});

t.test('the same for one in another folder than the next is written into', async (t) => {
  const { folder, ledger } = await killed(t, 'whole');
  t.equal(await endInterrupted(join(folder, 'next'), ledger, snapshotOf), undefined);
  t.match(await ledger.latest(), { sequence: 1 });
  t.equal(await takeSequence(await ledger.open(), ledger), 2);
});

t.test('one that was known already is only tidied up', async (t) => {
  const { out, ledger } = await killed(t, 'noted');
  t.equal(await endInterrupted(out, ledger, never), 1);
  t.equal(await readUnfinished(out), undefined);
});

t.test('one that does not verify is not made known', async (t) => {
  const { out, ledger } = await killed(t, 'whole');
  await t.rejects(endInterrupted(out, ledger, never), { message: 'nothing is to be read' });
  t.equal(await ledger.latest(), undefined);
});

t.test('where nothing was signed the number is free again', async (t) => {
  for (const how of ['writing', 'signing'] as const) {
    const { out, ledger } = await killed(t, how);
    t.equal(await endInterrupted(out, ledger, never), undefined);
    t.equal(await takeSequence(await ledger.open(), ledger), 1, how);
  }
});

t.test('where it may have been signed out of reach, the number is nobody else’s', async (t) => {
  const { ledger } = await killed(t, 'signing');
  const open = await ledger.open();
  const away = open && { ...open, folder: join(open.folder, 'gone') };
  t.equal(await takeSequence(away, ledger), 2);
  const foreign = open && { ...open, id: 'b'.repeat(32) };
  t.equal(await takeSequence(foreign, ledger), 3, 'and where the folder is another’s by now');
});

t.test('a folder with anything else in it is nobody’s', async (t) => {
  const folder = t.testdir({ notes: 'mine' });
  await t.rejects(openExportFolder(folder), { code: 'FOLDER_OCCUPIED' });
  const { out } = await killed(t, 'writing');
  mkdirSync(join(out, 'notes'));
  await t.rejects(openExportFolder(out), { code: 'FOLDER_OCCUPIED' });
});

t.test('half a marker is an export of which nobody knows', async (t) => {
  const { out } = await killed(t, 'writing');
  writeFileSync(join(out, 'export.unfinished'), 'aaaa');
  t.match(await readUnfinished(out), { id: '', sequence: 0 });
});
