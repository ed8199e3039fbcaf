import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openKeys } from '../../../src/airgap/keys.ts';
import { rootsOf, signerOf } from '../../support/metadata-kit.ts';
import { stream } from '../../support/airgap-kit.ts';

const ring = {
  root: ['test:root'],
  targets: ['test:targets'],
  snapshot: ['test:snapshot'],
  timestamp: ['test:timestamp'],
};
const roots = await rootsOf({}, {});

async function openTestKey(uri: string) {
  if (!uri.startsWith('test:')) throw new Error(`${uri} is no test key`);
  return signerOf(uri.slice('test:'.length));
}

function folderOf(t: Test): string {
  return t.testdir({
    '1.root.json': roots[0].toString(),
    '2.root.json': String(roots[1]),
    '2.keys.json': JSON.stringify(ring),
  });
}

t.test('the keys of the newest root are opened, but for its own', async (t) => {
  const opened: string[] = [];
  const keys = await openKeys(folderOf(t), (uri) => {
    opened.push(uri);
    return openTestKey(uri);
  });
  t.equal(keys.stream, stream);
  t.equal(keys.roots.length, 2);
  t.strictSame(keys.rootExpires, new Date('2031-01-01T00:00:00Z'));
  t.strictSame(opened, ['test:targets', 'test:snapshot', 'test:timestamp']);
});

const broken: Readonly<Record<string, readonly [(folder: string) => void, RegExp]>> = {
  'no root': [(folder) => rmSync(join(folder, '1.root.json')), /has no 1.root.json: make keys/],
  'no list of keys': [(folder) => rmSync(join(folder, '2.keys.json')), /2.keys.json is not there/],
  'a list of another shape': [
    (folder) => writeFileSync(join(folder, '2.keys.json'), '{"targets": "test:targets"}'),
    /2.keys.json: targets is no list/,
  ],
  'a list with more': [
    (folder) => writeFileSync(join(folder, '2.keys.json'), '{"mirrors": []}'),
    /2.keys.json: "mirrors" is not known/,
  ],
  'a key that does not open': [
    (folder) => {
      const other = JSON.stringify({ ...ring, snapshot: ['card:1'] });
      writeFileSync(join(folder, '2.keys.json'), other);
    },
    /card:1 is no test key/,
  ],
  'roots that do not follow one another': [
    (folder) => writeFileSync(join(folder, '2.root.json'), roots[0]),
    /the roots in .* can not be used: .*has version 1/,
  ],
};
for (const [name, [breakIt, why]] of Object.entries(broken)) {
  t.test(`a folder with ${name} is refused`, async (t) => {
    const folder = folderOf(t);
    breakIt(folder);
    await t.rejects(openKeys(folder, openTestKey), { code: 'KEYS_UNUSABLE', message: why });
  });
}
