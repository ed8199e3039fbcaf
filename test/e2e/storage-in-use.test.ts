import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { openLmdbKeyValue } from '../../src/storage/lmdb-key-value.ts';
import { signatureOf, startAt, writeConfiguration } from '../support/app-kit.ts';
import { buildImage } from '../support/build-image.ts';
import { startFakeRegistry } from '../support/fake-registry.ts';
import { runAssay } from '../support/run-assay.ts';
import { startServe } from '../support/serve-process.ts';

const image = buildImage({ name: 'image' });

async function makeConfiguration(t: Test): Promise<string> {
  const registry = await startFakeRegistry();
  t.teardown(() => registry.close());
  registry.put('app', image, '1.0');
  registry.put('app', signatureOf(image.descriptor));
  return writeConfiguration(t, { upstreams: { reg: registry.url } });
}

t.test('a second server on the same folder does not start, and commands do', async (t) => {
  const file = await makeConfiguration(t);
  const first = await startServe(t, file);
  const second = await runAssay(['serve', '--config', file]);
  t.equal(second.code, 78);
  t.match(
    second.stderr,
    new RegExp(`storage\\.path: .* is in use by another server \\(process ${first.pid}\\)`),
  );
  t.match(second.stderr, /give each a folder of its own, .* by `redis`/);
  t.equal((await fetch(`${first.admin}/readyz`)).status, 200, 'the first one serves on');
  for (const words of [
    ['cache', 'stats'],
    ['deny', 'list'],
    ['verify', 'reg/app:1.0'],
  ]) {
    const { code, stderr } = await runAssay([...words, '--config', file]);
    t.equal(code, 0, `${words.join(' ')}: ${stderr}`);
  }
  const list = join(dirname(file), 'images.yaml');
  writeFileSync(list, 'images: [reg/app:1.0]\n');
  const warmed = await runAssay(['cache', 'warm', '-f', list, '--config', file]);
  t.equal(warmed.code, 0, warmed.stderr);
});

t.test('a server that was killed keeps the folder from nobody', async (t) => {
  const file = await makeConfiguration(t);
  const first = await startServe(t, file);
  await first.kill();
  const second = await startServe(t, file);
  t.equal((await fetch(`${second.admin}/readyz`)).status, 200);
  t.match(readFileSync(join(dirname(file), 'data', 'server.lock'), 'utf8'), ` ${second.pid} `);
});

t.test('an older version does not start on what a newer one has used', async (t) => {
  const file = await makeConfiguration(t);
  const kit = await startAt(t, file);
  await kit.app.close();
  const state = await openLmdbKeyValue(join(dirname(file), 'data', 'state'));
  t.same(await state.get('schema'), Buffer.from('1'), 'it bears the stamp of this one');
  await state.put('schema', Buffer.from('2'));
  await state.close();
  const { code, stderr } = await runAssay(['serve', '--config', file]);
  t.equal(code, 78);
  t.match(
    stderr,
    /data\/state was used by a newer version of Assay \(schema 2, and this version knows 1\)/,
  );
  const listed = await runAssay(['deny', 'list', '--config', file]);
  t.equal(listed.code, 78, 'nor does a command');
});
