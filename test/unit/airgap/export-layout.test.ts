import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { exportLayout, type LayoutExport } from '../../../src/airgap/export-layout.ts';
import { exportTar } from '../../../src/airgap/export-tar.ts';
import { makePlan } from '../../../src/airgap/plan.ts';

const { signal } = new AbortController();

/** A medium that somebody else had, as if an export had been killed on it; and files of ours. */
function prepare(t: Test) {
  const folder = t.testdir({ medium: { 'export.unfinished': '' }, ours: { key: 'ours' } });
  const medium = join(folder, 'medium');
  const ours = join(folder, 'ours');
  const wish = (path: string): LayoutExport => ({
    path,
    plan: makePlan([]),
    read: () => {
      throw new Error('nothing is to be read');
    },
    onProgress: () => undefined,
  });
  return { medium, ours, wish };
}

for (const place of ['blobs', 'blobs/sha256']) {
  t.test(`nothing is removed where ${place} leads`, async (t) => {
    const { medium, ours, wish } = prepare(t);
    if (place === 'blobs/sha256') mkdirSync(join(medium, 'blobs'));
    if (place === 'blobs') mkdirSync(join(ours, 'sha256'));
    if (place === 'blobs') writeFileSync(join(ours, 'sha256', 'key'), 'ours');
    symlinkSync(ours, join(medium, place));
    const before = readdirSync(ours, { recursive: true });
    await t.rejects(exportLayout(wish(medium), signal), {
      code: 'FOLDER_OCCUPIED',
      message: /is no folder/,
    });
    t.strictSame(readdirSync(ours, { recursive: true }), before);
  });
}

t.test('no file is written through a link', async (t) => {
  const { medium, ours, wish } = prepare(t);
  for (const name of ['oci-layout', 'index.json.part', 'index.json']) {
    symlinkSync(join(ours, 'key'), join(medium, name));
  }
  await exportLayout(wish(medium), signal);
  t.equal(readFileSync(join(ours, 'key'), 'utf8'), 'ours');
  t.ok(lstatSync(join(medium, 'index.json')).isFile());
  t.notOk(readdirSync(medium).includes('export.unfinished'));
});

t.test('nor is the archive', async (t) => {
  const { medium, ours, wish } = prepare(t);
  const path = join(medium, 'layout.tar');
  symlinkSync(join(ours, 'key'), `${path}.part`);
  await exportTar(wish(path), signal);
  t.equal(readFileSync(join(ours, 'key'), 'utf8'), 'ours');
  t.ok(lstatSync(path).isFile());
});
